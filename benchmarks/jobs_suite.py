"""The jobs suite: no-op jobs through two worker processes, every product in one run."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bench_venv import BenchVenv, bench_venv
from benchmarks.contenders import Peer, peers
from benchmarks.harness import Measurement, Options, Run, Runner, run_once, summarise
from benchmarks.ours.runner import OursRunner
from benchmarks.peer_runner import PeerRunner
from benchmarks.processes import BenchFailed
from benchmarks.report import Table, jobs_table, per_second
from benchmarks.servers import Servers, servers_started

MOST_JOBS = 400_000
NOTES = (
    "Rounds are interleaved, so a busy moment of the machine hits all products alike; the rate is "
    "the median of the runs. A run starts with a full queue and is timed from the moment when "
    "both worker processes have run a job to the last job.",
    "Each job writes its time, process and count into shared memory (about 0.3 microseconds); a "
    "run is void unless every job ran exactly once. 'Settled after' is how long after the last "
    "job nothing was left waiting or unacknowledged, the longest of the runs. 'Others' cores': how "
    "many cores other programs kept busy meanwhile; near 0 on a calm machine.",
    "Redis with an append-only file synced every second, PostgreSQL with fsync and "
    "synchronous_commit on, both on unix sockets; redis-py with hiredis for all.",
    "'As shipped' is one run with the plain worker command and default settings. Enqueue: one "
    "client, one call after another; bulk: the product's own way to send many (taskiq: 100 sends "
    "gathered), a dash where there is none.",
)


@dataclass(frozen=True, slots=True)
class Bench:
    """What a runner may need."""

    servers: Servers
    venv: BenchVenv
    workspace: Path
    options: Options


def _ours(shape: str) -> Callable[[Bench], Runner]:
    return lambda bench: OursRunner(servers=bench.servers, workspace=bench.workspace, shape=shape)


OURS: tuple[Callable[[Bench], Runner], ...] = tuple(
    _ours(shape) for shape in ("plain", "full", "keys", "hot")
)  # left out by --peers-only


def jobs(options: Options) -> Table:
    """Measure what options ask for. About five minutes; quick, about one and a half.

    Raises BenchFailed as soon as a product loses or repeats a job, dies or stands still.
    """
    venv = bench_venv()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            bench = Bench(servers, venv, workspace, options)
            measurements = _measure_all(bench)
            stores = ", ".join(f"{name} {number}" for name, number in servers.versions().items())
    return jobs_table(measurements, notes=(*NOTES, f"Servers: {stores}."))


@dataclass(slots=True)
class _Entry:
    """One runner on its way through the rounds."""

    runner: Runner
    jobs: int
    enqueue_rate: float
    bulk_enqueue_rate: float | None
    default_rate: float | None = None
    runs: list[Run] = field(default_factory=list)


def _measure_all(bench: Bench) -> list[Measurement]:
    rounds, target_s = (1, 2.5) if bench.options.quick else (3, 6.5)
    entries = [_filled(bench, runner, target_s) for runner in _runners(bench)]
    for number in range(1, rounds + 1):
        for entry in entries:
            entry.runs.append(_run(bench, entry.runner, entry.jobs, f"round {number}/{rounds}"))
    if not bench.options.quick:
        for entry in entries:
            entry.default_rate = _rate_as_shipped(bench, entry.runner.name)
    return [
        summarise(
            entry.runner,
            entry.runs,
            jobs=entry.jobs,
            workers=bench.options.workers,
            enqueue_rate=entry.enqueue_rate,
            bulk_enqueue_rate=entry.bulk_enqueue_rate,
            default_rate=entry.default_rate,
        )
        for entry in entries
    ]


def _runners(bench: Bench) -> list[Runner]:
    found: list[Runner] = [_peer_runner(bench, peer) for peer in peers()]
    if not bench.options.peers_only:
        found += [make(bench) for make in OURS]
    wanted = bench.options.only
    if unknown := wanted - {runner.name for runner in found}:
        known = ", ".join(runner.name for runner in found)
        raise BenchFailed(f"unknown: {', '.join(sorted(unknown))}; there are: {known}")
    return [runner for runner in found if not wanted or runner.name in wanted]


def _peer_runner(bench: Bench, peer: Peer, *, tuned: bool = True) -> PeerRunner:
    return PeerRunner(
        peer, venv=bench.venv, servers=bench.servers, workspace=bench.workspace, tuned=tuned
    )


def _filled(bench: Bench, runner: Runner, target_s: float) -> _Entry:
    """Guess the rate by a pilot run, then fill the queue with target_s seconds of work.

    The pilot also warms up: byte code, page cache, prepared schema.
    """
    pilot = runner.pilot_jobs
    enqueue_rate = pilot / runner.fill(pilot, bulk=False)
    guess = _run(bench, runner, pilot, "pilot")
    count = min(max(int(guess.rate * target_s), pilot), MOST_JOBS)
    filled_rate = count / runner.fill(count, bulk=runner.has_bulk)
    return _Entry(
        runner=runner,
        jobs=count,
        enqueue_rate=enqueue_rate if runner.has_bulk else filled_rate,
        bulk_enqueue_rate=filled_rate if runner.has_bulk else None,
    )


def _rate_as_shipped(bench: Bench, name: str) -> float | None:
    """One run of a peer with the plain command of its guide; None for our own."""
    for peer in peers():
        if peer.name == name:
            runner = _peer_runner(bench, peer, tuned=False)
            runner.fill(peer.shipped_jobs, bulk=False)
            return _run(bench, runner, peer.shipped_jobs, "as shipped").rate
    return None


def _run(bench: Bench, runner: Runner, count: int, label: str) -> Run:
    run = run_once(runner, jobs=count, workers=bench.options.workers, workspace=bench.workspace)
    rate, others = per_second(run.rate), f"{run.others_cores:.1f}"
    print(f"{label:<11}{runner.name:<16} {rate:>8}/s, others {others}", flush=True)
    return run
