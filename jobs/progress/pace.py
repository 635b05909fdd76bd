"""How fast an operation goes now, from looks at it one after the other."""

from collections import deque

from jobs.progress.snapshot import Progress, Stage, eta_of, whole_rate

SPAN_S = 15.0  # the rate is that of the last so many seconds


class Pace:
    """Remembers the looks of the last seconds. One per operation that is watched."""

    def __init__(self, span_s: float = SPAN_S) -> None:
        self._span_s = span_s
        self._looks: deque[tuple[float, int]] = deque()

    def rate(self, progress: Progress, at: float) -> tuple[float | None, float | None]:
        """(rate per second, seconds to go) at a moment on a monotonic clock, in seconds.

        What the kind says itself counts. A pause, and a count that goes back, begin anew.
        """
        if progress.rate_per_s is not None or progress.stage is not Stage.RUNNING:
            self._looks.clear()
            return whole_rate(progress)
        if self._looks and progress.settled < self._looks[-1][1]:
            self._looks.clear()
        self._looks.append((at, progress.settled))
        while len(self._looks) > 2 and self._looks[1][0] <= at - self._span_s:
            self._looks.popleft()
        began, before = self._looks[0]
        if at <= began:
            return whole_rate(progress)
        rate = (progress.settled - before) / (at - began)
        return rate, eta_of(progress, rate)
