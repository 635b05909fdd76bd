"""Counters of the calls: totals, calls at the same time, and a series by second."""

from collections import Counter, deque
from typing import Any

SERIES_SECONDS = 600


class CallCounters:
    """A cut connection has no status and counts as "cut"."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.received = 0
        self.by_call: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.in_flight = 0
        self.peak_in_flight = 0
        self._seconds: deque[tuple[int, int]] = deque(maxlen=SERIES_SECONDS)

    def begin(self, at: float, call: str) -> None:
        self.received += 1
        self.by_call[call] += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        second = int(at)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + 1)
        else:
            self._seconds.append((second, 1))

    def end(self, status: int | None) -> None:
        self.in_flight = max(self.in_flight - 1, 0)  # a reset may have come in between
        self.by_status["cut" if status is None else str(status)] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "received": self.received,
            "by_call": dict(self.by_call),
            "by_status": dict(self.by_status),
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak_in_flight,
            "peak_per_s": max((calls for _, calls in self._seconds), default=0),
            "per_second": [{"at": at, "received": calls} for at, calls in self._seconds],
        }
