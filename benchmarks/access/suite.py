"""The access suite: from paid at the provider to served by the panel, while bulk work waits.

Real parts on both sides: Crypto Pay and the panel are the sandbox over HTTP, the jobs run in a real
pool. Each payment meets 20,000 jobs that are due before it, and a bulk operation for 20,000 subscribers
that keeps the panel as busy as it may be. Void if somebody is not served, or is told twice.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed, Child, wait_until
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started
from tests.sandbox.fixture import Sandbox

SUBSCRIBERS = 20_000
BACKLOG = 20_000
BAR_S = 5.0
NOTES = (
    "Two worker processes with eight threads each, PostgreSQL with fsync on; sandbox, database, workers and "
    "the payer share the machine.",
    "Paid: the moment that Crypto Pay names. Served: the panel was read back and the customer's message "
    "is written. In between: the webhook (through the view, without the network), its job, the provider "
    "asked for the true state, the payment settled, the activation, two requests to the panel.",
    f"Waiting: at least {BACKLOG:,} due jobs of the same queue when somebody pays, and a bulk operation "
    f"over {SUBSCRIBERS:,} subscribers under way (50 requests a second to the panel, 8 at once).",
)


def access(options: Options) -> Table:
    """About three minutes; quick, one. Raises BenchFailed when somebody is not served, or told twice."""
    payers = 30 if options.quick else 100
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, Sandbox() as sandbox:
            sandbox.limits(enabled=False)
            bench = Bench(servers, sandbox, workspace)
            with bench.running():
                noise = Noise()
                idle = bench.pay(payers)
                bench.order("bulk")
                busy = bench.pay(payers, backlog=BACKLOG)
                others = noise.cores()
                after = bench.order("after")
    if after["bulk_left"] == 0:
        raise BenchFailed("access: the bulk operation was over before the payments were")
    rows = [
        *_rows("nothing else to do", idle, bar=False),
        *_rows(f"{BACKLOG:,} jobs waiting, bulk under way", busy, bar=True),
        ("fewest due jobs when somebody paid", f"{busy['least']:,}", f">= {BACKLOG:,}"),
        ("of the bulk operation left at the end", f"{after['bulk_left']:,}", ""),
        ("cores that others took meanwhile", f"{others:.2f}", ""),
    ]
    return Table(
        suite="access",
        title="Money to access",
        columns=("measure", "value", "bar"),
        rows=tuple(rows),
        notes=NOTES,
        figures=(
            {"part": "idle", **idle}, {"part": "busy", **busy}, {"others_cores": others, **after},
        ),
    )  # fmt: skip


def _rows(what: str, found: dict[str, Any], *, bar: bool) -> list[tuple[str, str, str]]:
    spans = sorted(found["spent_s"])
    p95 = statistics.quantiles(spans, n=20)[18]
    return [
        (f"paid to access, p50, {what}", f"{statistics.median(spans):.2f} s", ""),
        (f"paid to access, p95, {what}", f"{p95:.2f} s", f"< {BAR_S:.0f} s" if bar else ""),
        (f"slowest of {len(spans)}, {what}", f"{spans[-1]:.2f} s", ""),
    ]


class Bench:
    """A fresh database, a pool, both services, and the process that sells and looks."""

    def __init__(self, servers: Servers, sandbox: Sandbox, workspace: Path) -> None:
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._workspace = workspace
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "REMNAWAVE_URL": sandbox.panel_url,
            "REMNAWAVE_API_TOKEN": "token",
            "CRYPTOBOT_API_URL": sandbox.cryptopay_url,
            "CRYPTOBOT_TOKEN": "41207:AASample-secret_part",
            "TELEGRAM_API_URL": sandbox.telegram_url,
            "TELEGRAM_BOT_TOKEN": "123456:bench",
            "SANDBOX_URL": sandbox.url,
            "WORKER_CONCURRENCY": "2",
            "LOG_LEVEL": "ERROR",
        }
        self._till: subprocess.Popen[str] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Everything that is measured, until the end of the block."""
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=self._env, check=True,
        )  # fmt: skip
        self._till = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.access.till"],
            cwd=ROOT, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            self._answer()
            self.order("open", subscribers=SUBSCRIBERS)
            log = self._workspace / "switchboard.log"
            with Child([sys.executable, "manage.py", "qcluster"], log=log, env=self._env, cwd=ROOT):
                wait_until(lambda: self.order("workers")["count"] >= 2, what="two workers")
                yield
        finally:
            assert self._till.stdin is not None
            self._till.stdin.close()
            self._till.wait(30)

    def pay(self, payers: int, *, backlog: int = 0) -> dict[str, Any]:
        """So many pay, one after the other, as soon as the one before is served."""
        return self.order("pay", payers=payers, backlog=backlog)

    def order(self, act: str, **given: Any) -> dict[str, Any]:
        """Have the till do something. Raises BenchFailed with what it says went wrong."""
        assert self._till is not None
        assert self._till.stdin is not None
        self._till.stdin.write(json.dumps({"act": act, **given}) + "\n")
        self._till.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._till is not None
        assert self._till.stdout is not None
        line = self._till.stdout.readline()
        if not line:
            raise BenchFailed("access: the till ended early")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise BenchFailed(f"access: {answer['failed']}")
        return answer
