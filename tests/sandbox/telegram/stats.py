"""Counters of the Bot API side: totals, and a series of the last ten minutes by second."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

SERIES_SECONDS = 600


@dataclass(slots=True)
class Second:
    """What happened within one unix second."""

    at: int
    received: int = 0
    delivered: int = 0
    limited: int = 0


class Traffic:
    """Counts calls. A cut connection has no status and counts as "cut"."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.received = 0
        self.by_status: Counter[str] = Counter()
        self.by_method: Counter[str] = Counter()
        self._series: deque[Second] = deque(maxlen=SERIES_SECONDS)
        self._peak_received = 0
        self._peak_delivered = 0

    def count_received(self, at: float, method: str) -> None:
        self.received += 1
        self.by_method[method] += 1
        second = self._second(at)
        second.received += 1
        self._peak_received = max(self._peak_received, second.received)

    def count_delivered(self, at: float) -> None:
        second = self._second(at)
        second.delivered += 1
        self._peak_delivered = max(self._peak_delivered, second.delivered)

    def count_answered(self, at: float, status: int | None) -> None:
        self.by_status["cut" if status is None else str(status)] += 1
        if status == 429:
            self._second(at).limited += 1

    def as_json(self, now: float) -> dict[str, Any]:
        """Seconds without traffic are left out of the series."""
        oldest = int(now) - SERIES_SECONDS
        return {
            "received": self.received,
            "by_status": dict(self.by_status),
            "by_method": dict(self.by_method),
            "limited": self.by_status["429"],
            "peak_per_s": {"received": self._peak_received, "delivered": self._peak_delivered},
            "per_second": [asdict(second) for second in self._series if second.at > oldest],
        }

    def _second(self, at: float) -> Second:
        second = int(at)
        if not self._series or self._series[-1].at < second:
            self._series.append(Second(second))
        return self._series[-1]
