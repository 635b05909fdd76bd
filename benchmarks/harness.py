"""How one product is measured: fill its queue, start two workers, time the jobs, check them all.

Every product goes through the same steps and the same instrument (`benchmarks.tally`). A run
counts only if each job ran exactly once and the product has nothing left that waits or is not
acknowledged; otherwise BenchFailed stops the bench, for a wrong figure is worse than none.
"""

import statistics
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed, Child, wait_until
from benchmarks.tally import Tally

STALL_S = 30  # no job for so long: the run is dead
SETTLE_S = 120  # so long may acknowledgements trail behind the last job


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for. `only` is empty when every runner is wanted."""

    quick: bool = False
    only: frozenset[str] = frozenset()
    peers_only: bool = False
    workers: int = 2


class Runner(Protocol):
    """One product in one configuration. All calls come from one thread, in any order."""

    @property
    def name(self) -> str:
        """As printed and as given to --only."""

    @property
    def peer(self) -> bool:
        """False for our own."""

    @property
    def promise(self) -> str:
        """What becomes of a job when its worker is killed, and what is on disk."""

    @property
    def settings(self) -> str:
        """How it is tuned, in one line without paths."""

    @property
    def has_bulk(self) -> bool:
        """Whether fill(bulk=True) exists."""

    @property
    def first_of_all(self) -> int:
        """The time ends with the last of the jobs from this one on; 0: with the last of all."""

    @property
    def pilot_jobs(self) -> int:
        """Enough jobs to guess the rate, about a second of work."""

    def versions(self) -> dict[str, str]:
        """Package to version."""

    def fill(self, jobs: int, *, bulk: bool) -> float:
        """Empty the product's store, enqueue noop(0) ... noop(jobs - 1), return the seconds.

        One client in a process of its own; one call at a time, or the product's bulk way.
        """

    def refill(self) -> None:
        """Bring the store back to what the last fill() left. May be faster than fill()."""

    def pending(self) -> int:
        """How many jobs wait or are not yet acknowledged (ours: have no outcome row)."""

    def start(self, workers: int, tally: Path) -> AbstractContextManager[Sequence[Child]]:
        """Start exactly so many worker processes; noop(n) calls `benchmarks.tally.mark(n)`.

        BENCH_TALLY in their environment is `tally`. Leaving the context stops them.
        """


@dataclass(frozen=True, slots=True)
class Run:
    """One timed run. `jobs` are those inside the window of `seconds`; see Timeline.window."""

    jobs: int
    seconds: float
    settle_s: float  # from the last job to the last acknowledgement
    others_cores: float  # cores that other programs took, from the start of the workers to the end

    @property
    def rate(self) -> float:
        """Jobs per second."""
        return self.jobs / self.seconds


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is published of one product. Rates are per second; `seconds` is the median run's."""

    name: str
    peer: bool
    jobs: int
    workers: int
    seconds: float
    rate: float  # median of runs
    runs: tuple[float, ...]
    settle_s: float  # worst of the runs
    others_cores: tuple[float, ...]  # per run
    enqueue_rate: float
    bulk_enqueue_rate: float | None
    promise: str
    settings: str
    default_rate: float | None = None  # one run as the product ships
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)


def run_once(runner: Runner, *, jobs: int, workers: int, workspace: Path) -> Run:
    """Time the jobs that the last fill() left. Raises BenchFailed when the run is void."""
    runner.refill()
    tally = Tally(workspace / "tally", jobs)
    noise = Noise()
    with runner.start(workers, tally.path) as children:
        _wait_for_jobs(runner.name, tally, children)
        seen_last = time.monotonic()
        wait_until(
            lambda: runner.pending() == 0,
            what=f"{runner.name}: last acknowledgement",
            patience_s=SETTLE_S,
        )
        settle_s = time.monotonic() - seen_last
        others_cores = noise.cores()
    timeline = tally.timeline()
    if timeline.missing() or timeline.repeated():
        raise BenchFailed(
            f"{runner.name}: {timeline.missing()} jobs lost, {timeline.repeated()} run twice"
        )
    try:
        inside, seconds = timeline.window(workers, first_of_all=runner.first_of_all)
    except ValueError as exc:
        raise BenchFailed(f"{runner.name}: {exc}") from exc
    return Run(jobs=inside, seconds=seconds, settle_s=settle_s, others_cores=others_cores)


def summarise(
    runner: Runner,
    runs: Sequence[Run],
    *,
    jobs: int,
    workers: int,
    enqueue_rate: float,
    bulk_enqueue_rate: float | None,
    default_rate: float | None,
) -> Measurement:
    """Turn the runs of one product into what is published."""
    rate = statistics.median(run.rate for run in runs)
    nearest = min(runs, key=lambda run: abs(run.rate - rate))
    return Measurement(
        name=runner.name,
        peer=runner.peer,
        jobs=jobs,
        workers=workers,
        seconds=nearest.seconds,
        rate=rate,
        runs=tuple(run.rate for run in runs),
        settle_s=max(run.settle_s for run in runs),
        others_cores=tuple(run.others_cores for run in runs),
        enqueue_rate=enqueue_rate,
        bulk_enqueue_rate=bulk_enqueue_rate,
        promise=runner.promise,
        settings=runner.settings,
        default_rate=default_rate,
        versions=runner.versions(),
    )


def _wait_for_jobs(name: str, tally: Tally, children: Sequence[Child]) -> None:
    moved_at, last = time.monotonic(), 0
    while (ran := tally.ran()) < tally.jobs:
        for child in children:
            child.require_alive()
        now = time.monotonic()
        if ran > last:
            moved_at, last = now, ran
        elif now - moved_at > STALL_S:
            log = "\n".join(child.tail() for child in children)
            raise BenchFailed(f"{name}: stuck after {ran} of {tally.jobs} jobs\n{log}")
        time.sleep(0.05)
