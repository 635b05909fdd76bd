"""How long to wait before the next try."""

import random
from dataclasses import dataclass


@dataclass
class Backoff:
    """Full jitter: evenly from `least_s` to a ceiling that doubles from `first_s` to `most_s`.

    Many clients that lost one server come back spread over the whole span, not all at once.
    """

    least_s: float = 0.1
    first_s: float = 1.0
    most_s: float = 10.0
    tries: int = 0

    def next(self) -> float:
        """Draw a delay in seconds, and raise the ceiling."""
        ceiling = min(self.most_s, self.first_s * 2 ** min(self.tries, 30))
        self.tries += 1
        return random.uniform(self.least_s, max(self.least_s, ceiling))  # noqa: S311 - no secret

    def reset(self) -> None:
        """A connection has held: begin again."""
        self.tries = 0
