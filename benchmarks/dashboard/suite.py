"""The dashboard suite: from the commit of an event to the last of 200 screens that show it.

One web process (`python -m config.serve`), a process that commits events as a job would, and one with
all the sockets. Times are of CLOCK_MONOTONIC, which all processes of a machine share.
"""

import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.inbox.rivals import HOST, free_port
from benchmarks.inbox.site import Site
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.servers import servers_started

VIEWERS = 200
BAR_MS = 100.0
PICTURE_EACH = 20  # events
NOTES = (
    "DEBUG off, tokens as in production, PostgreSQL with fsync on; web process, database, Redis, the "
    "process that commits and all clients share the machine.",
    "Commit: Django has committed the transaction of the event, and nothing was published yet. Arrival: "
    "the client has read the frame that begins with this event. Events come one by one, 50 to 300 ms "
    "after the one before was on all screens.",
    f"A whole picture is taken before each {PICTURE_EACH}th event, as the job does every 30 s.",
)


def dashboard(options: Options) -> Table:
    """About two minutes; quick, 30 s. Raises BenchFailed when an event does not reach everybody."""
    events = 60 if options.quick else 300
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            site, port = Site(servers, workspace), free_port()
            said = site.python(
                "manage.py", "create_service_account", "viewer", "--permission=nodes.view_node"
            )
            spec = {"url": f"ws://{HOST}:{port}/ws/dashboard", "token": said.split()[-1]}
            with (
                site.web(port),
                _helper(site, "benchmarks.dashboard.noting") as noting,
                _helper(site, "benchmarks.dashboard.viewers") as viewers,
            ):
                opened = viewers.order(**spec, count=VIEWERS)["opened"]
                noise = Noise()
                found = [_event(noting, viewers, number) for number in range(events)]
                others = noise.cores()
    last = sorted(each["last_ms"] for each in found)
    first = sorted(each["first_ms"] for each in found)
    return Table(
        suite="dashboard",
        title="Live dashboard",
        columns=("measure", "value", "bar"),
        rows=(
            ("screens", f"{opened}", f"{VIEWERS}"),
            ("commit to the first screen, p50", f"{statistics.median(first):.1f} ms", ""),
            ("commit to the last screen, p50", f"{statistics.median(last):.1f} ms", ""),
            (
                "commit to the last screen, p95",
                f"{statistics.quantiles(last, n=20)[18]:.1f} ms",
                f"< {BAR_MS:.0f} ms",
            ),
            (f"slowest of {events}", f"{last[-1]:.1f} ms", ""),
            ("size of the frame", f"{found[-1]['bytes']:,} bytes", ""),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=({"last_ms": last, "first_ms": first, "others_cores": others},),
    )


def _event(noting: "_Helper", viewers: "_Helper", number: int) -> dict[str, Any]:
    time.sleep(random.uniform(0.05, 0.3))
    viewers.order(number=number)
    committed = noting.order(number=number, picture=number % PICTURE_EACH == 0)["committed_ns"]
    seen = viewers.order(wait=True)
    return {
        "last_ms": (seen["last_ns"] - committed) / 1e6,
        "first_ms": (seen["first_ns"] - committed) / 1e6,
        "bytes": seen["bytes"],
    }


class _Helper:
    """A program beside the web process that takes a JSON line and answers with one."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def order(self, **order: Any) -> dict[str, Any]:
        """Raises BenchFailed with what went wrong there."""
        self._in.write(json.dumps(order) + "\n")
        self._in.flush()
        line = self._out.readline()
        if not line:
            raise BenchFailed("dashboard: a process of the bench ended early")
        found: dict[str, Any] = json.loads(line)
        if "failed" in found:
            raise BenchFailed(f"dashboard: {found['failed']}")
        return found


@contextlib.contextmanager
def _helper(site: Site, module: str) -> Iterator[_Helper]:
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT, env=site.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield _Helper(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
