"""The bulk suite: 10,000 subscribers disabled, and 10,000 extended, as fast as the panel allows.

The panel is the sandbox over real HTTP with a latency of its own, so that what limits is how much may be
asked of it at once. Void if somebody is not changed, or if more was asked at once than is allowed.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
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

PEOPLE, PEOPLE_QUICK = 10_000, 1_000
LATENCY_MS = 20
CONCURRENCY = 8
NOTES = (
    f"Panel: the sandbox (one process), contract v3, each request {LATENCY_MS} ms slower than it is, "
    f"{CONCURRENCY} at once allowed (background work takes three quarters of them), no rate. Two worker "
    "processes with eight threads; PostgreSQL with fsync on; all of it shares the machine.",
    "Disabled: packs of 50 by the panel's bulk call, read before and after. Extended: ten are read by one "
    "request, and each date is a request of its own, while nobody else may change the subscriber.",
    "Limit of the panel: requests that were made x their latency / places; how near to it the run came is "
    "what is ours.",
)
_BEGIN = """
from subscriptions.bulk.starting import bulk_start
from subscriptions.models import BulkKind
everybody = {{"status": ["ACTIVE", "LIMITED", "EXPIRED", "DISABLED"]}}
row = bulk_start(kind=BulkKind("{kind}"), params={params}, selection={{"filter": everybody}},
    source="api", by=None)
print(row.pk)
"""


def bulk(options: Options) -> Table:
    """About three minutes; quick, half of one. Raises BenchFailed when somebody is not changed."""
    people = PEOPLE_QUICK if options.quick else PEOPLE
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, Sandbox() as sandbox:
            bench = Bench(servers, sandbox, workspace)
            with bench.running(people):
                noise = Noise()
                extended = bench.run("extend", {"days": 30}, people)
                disabled = bench.run("disable", {}, people)
                others = noise.cores()
    return Table(
        suite="bulk",
        title="Bulk operations",
        columns=("measure", "value", "bar"),
        rows=(
            *_rows(f"disable {people:,}", disabled),
            *_rows(f"extend {people:,}", extended),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=(
            {"part": "disable", **disabled},
            {"part": "extend", **extended},
            {"others_cores": others},
        ),
    )


def _rows(what: str, found: dict[str, Any]) -> list[tuple[str, str, str]]:
    places = int(CONCURRENCY * 0.75)
    limit = found["requests"] * LATENCY_MS / 1000 / places
    return [
        (what, f"{found['took_s']:.1f} s, {found['people'] / found['took_s']:,.0f}/s", ""),
        (f"requests to the panel, {what}", f"{found['requests']:,}", ""),
        (f"most at once, {what}", f"{found['peak']}", f"<= {CONCURRENCY}"),
        (
            f"limit of the panel alone, {what}",
            f"{limit:.1f} s; it took {found['took_s'] / limit:.1f} times that",
            "",
        ),
    ]


class Bench:
    """A fresh database, a panel with people, their mirror, and a pool."""

    def __init__(self, servers: Servers, sandbox: Sandbox, workspace: Path) -> None:
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._workspace, self._sandbox = workspace, sandbox
        self._connection = servers.postgres()
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "REMNAWAVE_URL": sandbox.panel_url,
            "REMNAWAVE_API_TOKEN": "token",
            "PANEL_RATE": "100000/s",
            "PANEL_CONCURRENCY": str(CONCURRENCY),
            "WORKER_CONCURRENCY": "2",
            "LOG_LEVEL": "ERROR",
        }

    @contextlib.contextmanager
    def running(self, people: int) -> Iterator[None]:
        """People in the panel and in the mirror, and workers, until the end of the block."""
        self._manage("migrate", "--verbosity", "0")
        self._sandbox.panel.seed(people, expires_from_s=86_400.0, expires_to_s=86_400.0 * 90)
        log = self._workspace / "switchboard.log"
        try:
            with Child([sys.executable, "manage.py", "qcluster"], log=log, env=self._env, cwd=ROOT):
                wait_until(
                    lambda: self._one("SELECT count(*) FROM subscriber") == people,
                    what="the mirror", patience_s=120,
                )  # fmt: skip
                self._sandbox.panel.fault(kind="latency", latency_ms=LATENCY_MS)
                yield
        finally:
            self._connection.close()

    def run(self, kind: str, params: dict[str, Any], people: int) -> dict[str, Any]:
        """One operation over everybody, from the start of its row to the last fate."""
        before = self._sandbox.panel.stats()
        code = _BEGIN.format(kind=kind, params=params)
        operation = self._manage("shell", "-c", code).strip().splitlines()[-1]
        packs, deadline = set[int](), time.monotonic() + 1800
        while (done := self._state(operation))[0] != "done":
            packs.add(int(done[1]))
            if time.monotonic() > deadline:
                raise BenchFailed(f"bulk: {kind} did not end: {done}")
            time.sleep(0.1)
        if done[1:] != (people, 0, 0):
            raise BenchFailed(f"bulk: {kind} ended with done, failed, skipped {done[1:]}")
        after = self._sandbox.panel.stats()
        if after["peak_in_flight"] > CONCURRENCY:
            raise BenchFailed(f"bulk: {after['peak_in_flight']} requests at once")
        return {
            "people": people,
            "took_s": float(done_s(self._connection, operation)),
            "requests": after["received"] - before["received"],
            "peak": after["peak_in_flight"],
            "progress_seen": len(packs),
        }

    def _state(self, operation: str) -> tuple[Any, ...]:
        row = self._connection.execute(
            "SELECT state, done, failed, skipped FROM bulk_operation WHERE id = %s", [operation]
        ).fetchone()
        assert row is not None
        return tuple(row)

    def _one(self, query: str) -> Any:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return row[0]

    def _manage(self, *words: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=self._env, check=True, text=True, stdout=subprocess.PIPE,
        ).stdout  # fmt: skip


def done_s(connection: Any, operation: str) -> float:
    """Seconds from the row to its end, by the clock of the workers."""
    row = connection.execute(
        "SELECT extract(epoch FROM finished_at - created_at) FROM bulk_operation WHERE id = %s",
        [operation],
    ).fetchone()
    return float(row[0])
