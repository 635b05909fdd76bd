"""Retry ladders: delays as data. n delays mean n + 1 attempts."""

import random
from dataclasses import dataclass
from datetime import timedelta

from lib import durations

JITTER = 0.1  # of each delay, either way, so that failures do not come back in step


@dataclass(frozen=True, slots=True)
class Delays:
    """A ladder of delays: `Delays("30s 1m 5m")`, or a list of spans."""

    steps: tuple[timedelta, ...]

    def __init__(
        self, steps: str | list[durations.Duration] | tuple[durations.Duration, ...]
    ) -> None:
        object.__setattr__(self, "steps", durations.parse_many(steps))

    @property
    def attempts(self) -> int:
        """How many attempts the ladder allows."""
        return len(self.steps) + 1

    def after(self, failures: int) -> timedelta | None:
        """The delay after so many failures (1 is the first), with jitter; None: used up."""
        if failures > len(self.steps):
            return None
        return jittered(self.steps[failures - 1])


def jittered(delay: timedelta) -> timedelta:
    """The delay, up to 10 % shorter or longer."""
    return delay * (1 + random.uniform(-JITTER, JITTER))  # noqa: S311 - no secret


NEVER = Delays(())
# Requirements J4, by domain.
PROCESS_QUEUE = Delays("30s 1m 5m 15m 1h")
SEND_NOW = Delays("10s 30s 90s")
SUBSCRIPTIONS = Delays("60s 60s 60s")
HEALTH = Delays("15s 15s")
PAYMENTS = Delays("30s 2m 10m")
ANALYTICS = NEVER
CLEANUP = Delays("5m 5m")
SYNC = Delays("2m 2m 2m")
REPORTS = Delays("10m 10m")
QUEUE = Delays("1s 2s 4s 8s 16s")
