"""Processor time of named groups of processes between two moments."""

import time
from collections.abc import Mapping, Sequence

import psutil

from benchmarks.noise import Noise


class Usage:
    """Measures from its creation. A group's children count with it."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self._groups = {
            name: [psutil.Process(pid) for pid in pids] for name, pids in groups.items()
        }
        self._noise = Noise()
        self._at = time.monotonic()
        self._before = self._now()

    def cores(self, *, ended_s: float = 0.0, over_s: float | None = None) -> dict[str, float]:
        """Cores that each group kept busy on average, and "others": everybody else's programs.

        ended_s: processor time of children that have ended, so as not to be taken for others'.
        over_s: the seconds in which the groups worked, if they rested before or after.
        """
        seconds = time.monotonic() - self._at
        now = self._now()
        shares = {name: (now[name] - self._before[name]) / (over_s or seconds) for name in now}
        return {**shares, "others": max(0.0, self._noise.cores() - ended_s / seconds)}

    def _now(self) -> dict[str, float]:
        return {
            name: sum(_busy_s(process) for process in processes)
            for name, processes in self._groups.items()
        }


def rss_bytes(pid: int) -> int:
    """Resident memory of a process and its children."""
    process = psutil.Process(pid)
    family = (process, *process.children(recursive=True))
    return sum(int(member.memory_info().rss) for member in family)


def postgres_pids() -> list[int]:
    """The servers of PostgreSQL that this process has started; their children count with them."""
    return [child.pid for child in psutil.Process().children() if child.name() == "postgres"]


def _busy_s(process: psutil.Process) -> float:
    total = 0.0
    for member in (process, *process.children(recursive=True)):
        times = member.cpu_times()
        total += times.user + times.system
    return total
