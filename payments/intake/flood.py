"""How many deliveries that nobody has signed are written down: anybody may send them."""

import threading
import time

PER_MINUTE = 60  # of one source, in one process
BURST = 60


class Allowance:
    """A bucket of tokens in memory: the limit is there to save the disk, not to be exact."""

    def __init__(self, per_minute: int = PER_MINUTE, burst: int = BURST) -> None:
        self._rate_s = per_minute / 60
        self._burst = burst
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # source: (tokens, when)

    def take(self, name: str) -> bool:
        """Whether one more may be written."""
        with self._lock:
            now = time.monotonic()
            tokens, at = self._buckets.get(name, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - at) * self._rate_s)
            may = tokens >= 1
            self._buckets[name] = (tokens - 1 if may else tokens, now)
        return may

    def clear(self) -> None:
        """Forget what was taken."""
        with self._lock:
            self._buckets.clear()


unsigned = Allowance()
