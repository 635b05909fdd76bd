"""The telegram suite: the lane of notification_queue against a Bot API with Telegram's own limits.

A real pool of two workers sends over real HTTP to the sandbox, which counts, times and refuses as
Telegram does: 30 messages a second, one a second per chat. What arrived is read there, not in our rows.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
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

TOKEN = "7000000001:bench_secret"
CRITICALS = 20
BULK = 10_000
SHARE = 0.05  # of the calls that fail
NOTES = (
    "Two workers, INFO log, PostgreSQL with fsync on. The sandbox enforces 30 messages/s overall "
    "(burst 30) and 1/s per chat; an avoidable 429 is one that no fault was ordered for.",
    "Sustained: rows for distinct chats are there before the start; the rate is that of arrivals "
    "between the first and the last, and that of the slowest stretch of ten seconds.",
    "Critical: rows of priority 0 to other chats, one by one at odd moments, while the bulk is being "
    "sent; from before the INSERT to the arrival.",
    "Faults: of the calls of sendMessage 2 % answer 500, 2 % are cut before anything happened, 1 % "
    "get 429 with retry_after 1. Delivered is what arrived once all rows have their end.",
)


def telegram(options: Options) -> Table:
    """About six minutes; quick, about two. Raises BenchFailed when messages are lost."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, Sandbox() as sandbox:
            lane = Lane(servers, sandbox, workspace)
            with lane.running():
                noise = Noise()
                sustained = _sustained(lane, 20.0 if options.quick else 120.0)
                critical = _critical(lane, 5 if options.quick else CRITICALS)
                faults = _faults(lane, 300 if options.quick else 1500)
                others = noise.cores()
    return Table(
        suite="telegram",
        title="Telegram lane",
        columns=("measure", "value", "bar"),
        rows=(
            (
                f"sustained over {sustained['seconds']:.0f} s",
                f"{sustained['rate']:.2f} messages/s",
                ">= 29",
            ),
            ("slowest ten seconds", f"{sustained['slowest']:.1f} messages/s", ""),
            ("avoidable 429", f"{sustained['limited'] + critical['limited']}", "0"),
            (
                f"critical message during {BULK:,} bulk ones, p50",
                f"{critical['p50_ms']:.0f} ms",
                "",
            ),
            ("the same, max", f"{critical['max_ms']:.0f} ms", "< 1,000 ms"),
            (
                f"delivered with {SHARE:.0%} faults",
                f"{faults['delivered']:.2%} of {faults['messages']:,}",
                "> 98 %",
            ),
            ("arrived twice with faults", f"{faults['twice']}", "0"),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=({"part": "sustained", **sustained}, {"part": "critical", **critical},
                 {"part": "faults", **faults}, {"others_cores": others}),
    )  # fmt: skip


class Lane:
    """The site whose lane is measured, and its queue."""

    def __init__(self, servers: Servers, sandbox: Sandbox, workspace: Path) -> None:
        self.sandbox = sandbox
        self._servers = servers
        self._workspace = workspace
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "TELEGRAM_API_URL": sandbox.telegram_url,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "WORKER_CONCURRENCY": "2",
            "LOG_LEVEL": "INFO",
        }
        self._connection = servers.postgres()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """A pool on a fresh database."""
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=self._env, check=True,
        )  # fmt: skip
        log = self._workspace / "switchboard.log"
        command = [sys.executable, "manage.py", "qcluster"]
        with Child(command, log=log, env=self._env, cwd=ROOT) as child:
            self.child = child
            wait_until(
                lambda: self.value(
                    "SELECT count(*) >= 2 FROM jobs_worker WHERE stopped_at IS NULL"
                ),
                what="two live workers",
            )
            yield
        self._connection.close()

    def value(self, query: str, params: Any = ()) -> Any:
        """The first value of a query."""
        row = self._connection.execute(query, params).fetchone()
        return None if row is None else row[0]

    def clear(self) -> None:
        """An empty queue, nothing on its way, and a sandbox that has seen nothing."""
        pending = "FROM notification_queue WHERE status = 'pending'"
        self._connection.execute(f"DELETE {pending} AND claimed_at IS NULL")
        wait_until(lambda: self.value(f"SELECT count(*) {pending}") == 0, what="an idle lane")
        self._connection.execute("TRUNCATE notification_queue, telegram_chat, telegram_dedup")
        self._connection.execute("DELETE FROM jobs_breaker")
        self.sandbox.reset()

    def insert(self, count: int, *, priority: int = 2, chat: int = 100_000) -> None:
        """Rows for distinct chats, whose texts are their numbers."""
        self._connection.execute(
            """INSERT INTO notification_queue (telegram_id, message, priority)
            SELECT %s + n, %s || n, %s FROM generate_series(1, %s) n""",
            [chat, f"{priority}:", priority, count],
        )

    def arrived(self) -> int:
        """How many messages the sandbox has taken."""
        self.child.require_alive()
        return int(self.sandbox.stats()["delivered"])

    def limited(self) -> int:
        """How many calls were refused with 429."""
        return int(self.sandbox.stats()["limited"])


def _sustained(lane: Lane, seconds: float) -> dict[str, Any]:
    lane.clear()
    count = int(seconds * 30)
    lane.insert(count)
    wait_until(lambda: lane.arrived() >= count, what="all of them", patience_s=seconds * 1.5 + 30)
    at = [message["received_at"] for message in lane.sandbox.messages()]
    _require(len(at) == count, f"{len(at)} arrived, not {count}")
    span = at[-1] - at[0]
    tens = Counter(int((moment - at[0]) // 10) for moment in at)
    whole = [tens[number] / 10 for number in range(int(span // 10))]
    return {
        "messages": count,
        "seconds": span,
        "rate": (count - 1) / span,
        "slowest": min(whole),
        "limited": lane.limited(),
        "per_ten_seconds": whole,
    }


def _critical(lane: Lane, count: int) -> dict[str, Any]:
    lane.clear()
    lane.insert(BULK, priority=3)
    wait_until(lambda: lane.arrived() >= 60, what="the flood", patience_s=60)
    waits = []
    for number in range(1, count + 1):
        chat = 900_000 + number
        time.sleep(0.7 + 0.13 * (number % 7))  # odd moments, so that no beat is hit again and again
        before = time.time()
        lane.insert(1, priority=0, chat=chat - 1)
        lane.sandbox.wait_for(lambda chat=chat: lane.sandbox.messages(chat), timeout_s=60)  # type: ignore[misc]
        waits.append((lane.sandbox.messages(chat)[0]["received_at"] - before) * 1000)
    left = lane.value("SELECT count(*) FROM notification_queue WHERE status = 'pending'")
    _require(left > BULK / 2, "the flood was over before the criticals")
    return {
        "criticals": count,
        "p50_ms": statistics.median(waits),
        "max_ms": max(waits),
        "waits_ms": waits,
        "bulk_left": left,
        "limited": lane.limited(),
    }


def _faults(lane: Lane, count: int) -> dict[str, Any]:
    lane.clear()
    order: dict[str, Any] = {"method": "sendMessage"}
    lane.sandbox.fault(kind="status", status=500, share=0.02, seed=1, **order)
    lane.sandbox.fault(kind="cut_before", share=0.02, seed=2, **order)
    lane.sandbox.fault(kind="rate_limit", retry_after=1, share=0.01, seed=3, **order)
    lane.insert(count)
    pending = "SELECT count(*) FROM notification_queue WHERE status = 'pending'"
    wait_until(lambda: lane.value(pending) == 0, what="the end of all rows", patience_s=900)
    times = Counter(message["text"] for message in lane.sandbox.messages())
    struck = {fault["kind"]: fault["struck"] for fault in lane.sandbox.faults()}
    sent = lane.value("SELECT count(*) FROM notification_queue WHERE status = 'sent'")
    _require(sent == len(times), f"{sent} rows are sent, {len(times)} texts arrived")
    return {
        "messages": count,
        "delivered": len(times) / count,
        "twice": sum(1 for seen in times.values() if seen > 1),
        "struck": struck,
        "calls": lane.sandbox.stats()["received"],
    }


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise BenchFailed(f"telegram: {what}")
