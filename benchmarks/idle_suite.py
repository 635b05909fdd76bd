"""The idle suite: how fast an idle pool starts a job, and what an idle pool costs."""

import json
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.ours.runner import OursRunner
from benchmarks.processes import BenchFailed, Child, wait_until
from benchmarks.report import Table
from benchmarks.servers import servers_started
from benchmarks.tally import Tally

IDLE_S = 20.0


def idle(options: Options) -> Table:
    """Enqueue to start of single jobs in an idle pool of two workers; its CPU when nothing happens."""
    count = 100 if options.quick else 500
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            runner = OursRunner(servers=servers, workspace=workspace)
            runner.fill(0, bulk=False)
            tally = Tally(workspace / "tally", count)
            with runner.start(options.workers, tally.path) as children:
                wait_until(runner.is_up, what="two live workers", patience_s=30)
                noise = Noise()
                share = _idle_share(children[0], IDLE_S)
                others = noise.cores()
                said = runner.pulse(count)
                wait_until(lambda: tally.ran() >= count, what="all single jobs", patience_s=30)
                timeline = tally.timeline()
    sent = json.loads(said.splitlines()[-1])["sent"]
    waits = sorted((ran - put) / 1e6 for ran, put in zip(timeline.times, sent, strict=False))
    if timeline.missing() or timeline.repeated():
        raise BenchFailed(f"{timeline.missing()} lost, {timeline.repeated()} run twice")
    return Table(
        suite="idle",
        title="Idle pool",
        columns=("measure", "value", "bar"),
        rows=(
            ("enqueue to start, p50", f"{statistics.median(waits):.1f} ms", "<= 5 ms"),
            ("enqueue to start, p99", f"{waits[int(len(waits) * 0.99) - 1]:.1f} ms", "<= 25 ms"),
            ("enqueue to start, max", f"{waits[-1]:.1f} ms", ""),
            ("idle CPU of the pool, 2 workers", f"{share:.2%} of a core", "< 2 %"),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=(
            f"{count} single enqueues, each its own durable transaction, 30 to 120 ms apart; the time "
            "is from before the call to the first line of the job. Idle CPU: user and system time of "
            f"all processes of the pool over {IDLE_S:.0f} s.",
        ),
        figures=({"waits_ms": waits, "idle_share": share, "others_cores": others},),
    )


def _idle_share(pool: Child, seconds: float) -> float:
    """CPU of the pool and all its children as a share of one core."""
    processes = [psutil.Process(pool.pid), *psutil.Process(pool.pid).children(recursive=True)]
    before = _cpu(processes)
    time.sleep(seconds)  # the time itself is what is measured
    return (_cpu(processes) - before) / seconds


def _cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        times = process.cpu_times()
        total += times.user + times.system
    return total
