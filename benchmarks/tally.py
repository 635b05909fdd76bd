"""A table in shared memory where every job writes when, where and how often it ran.

Standard library only: the peers import it in a virtual environment of their own. One mark costs
about 0.3 microseconds, so the instrument weighs the same, next to nothing, on every product.

Layout of the file, for N jobs, native byte order: N x uint64 nanoseconds of CLOCK_MONOTONIC (one
clock for all processes of a machine), then N x uint32 process id, then N x uint32 number of runs.
"""

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns

VARIABLE = "BENCH_TALLY"
BYTES_PER_JOB = 16

_Columns = tuple["memoryview[int]", "memoryview[int]", "memoryview[int]"]


def mark(n: int) -> None:
    """Write down that job n has just run in this process. Needs BENCH_TALLY in the environment."""
    table = _here.table or _open_here()
    times, pids, runs = table
    times[n] = monotonic_ns()
    pids[n] = _here.pid
    runs[n] += 1


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the table says of one run. Times are nanoseconds of CLOCK_MONOTONIC."""

    times: tuple[int, ...]
    pids: tuple[int, ...]
    runs: tuple[int, ...]

    def missing(self) -> int:
        """How many jobs never ran."""
        return self.runs.count(0)

    def repeated(self) -> int:
        """How many jobs ran more than once."""
        return sum(1 for count in self.runs if count > 1)

    def processes(self) -> int:
        """How many processes ran at least one job."""
        return len(set(self.pids) - {0})

    def window(self, workers: int, *, first_of_all: int = 0) -> tuple[int, float]:
        """Return (jobs, seconds) from the moment when all workers had run a job to the last job.

        To the last of the jobs from first_of_all on, that is: those before may go on alone longer.
        So neither the start of the processes nor their imports count. Where a product replaces
        its processes on the way, the first `workers` of them decide. ValueError: fewer ran.
        """
        firsts: dict[int, int] = {}
        for moment, pid in zip(self.times, self.pids, strict=True):
            if pid and moment < firsts.get(pid, moment + 1):
                firsts[pid] = moment
        if len(firsts) < workers:
            raise ValueError(f"only {len(firsts)} of {workers} worker processes ran a job")
        start = sorted(firsts.values())[workers - 1]
        end = max(self.times[first_of_all:])
        inside = sum(1 for moment in self.times if start < moment <= end)
        return inside, (end - start) / 1e9


class Tally:
    """The side of the harness: create the table, watch it fill, read it."""

    def __init__(self, path: Path, jobs: int) -> None:
        self.path = path
        self.jobs = jobs
        self._seen = 0
        with path.open("wb") as file:
            file.truncate(jobs * BYTES_PER_JOB)
        self._times, self._pids, self._runs = _columns(path)

    def ran(self) -> int:
        """Lower bound of the jobs that ran: the length of the gapless beginning. Cheap to ask."""
        while self._seen < self.jobs and self._runs[self._seen]:
            self._seen += 1
        return self._seen

    def timeline(self) -> Timeline:
        """Copy the table."""
        return Timeline(tuple(self._times), tuple(self._pids), tuple(self._runs))


def _columns(path: Path) -> _Columns:
    with path.open("r+b") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0))
    jobs = len(view) // BYTES_PER_JOB
    return (
        view[: 8 * jobs].cast("Q"),
        view[8 * jobs : 12 * jobs].cast("I"),
        view[12 * jobs :].cast("I"),
    )


class _Here:
    """This process's view of the table; the mapping survives a fork, the process id does not."""

    def __init__(self) -> None:
        self.table: _Columns | None = None
        self.pid = 0


def _open_here() -> _Columns:
    _here.pid = os.getpid()
    _here.table = _columns(Path(os.environ[VARIABLE]))
    return _here.table


def _forked() -> None:
    _here.pid = os.getpid()


_here = _Here()
os.register_at_fork(after_in_child=_forked)
