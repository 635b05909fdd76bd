"""The broadcasts suite: a real pool of two workers expands and delivers; the tables tell when and how much.

Everybody is made by plain SQL; broadcasts are inserted as due rows, and the pool does the rest.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed, Child, wait_until
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started
from tests.sandbox.fixture import Sandbox

TOKEN = "7000000001:bench_secret"
STARTS = 20
NOTES = (
    "Two workers, INFO log, PostgreSQL with fsync on, Redis with an append-only file.",
    "Expansion: from the start of the broadcast to the last row of its ledger, channel inbox; the ledger "
    "is counted afterwards. RSS: the highest of any worker process until then (VmHWM).",
    "Delivery: from the end of the expansion to the end of the broadcast; each person has one notification "
    "in the table and on the stream by then, and the numbers of the broadcast are those of its ledger.",
    "Telegram: the sandbox enforces 30 messages/s overall and 1/s per chat; the rate is that of arrivals, "
    "those to single people (rows of notification_queue, priority 2) among them.",
    "Start: broadcasts to nobody, due at odd moments; started_at less scheduled_at, by one clock.",
)


def broadcasts(options: Options) -> Table:
    """About five minutes; quick, less than two. Raises BenchFailed when a number does not add up."""
    small, large = (20_000, 100_000) if options.quick else (100_000, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, Sandbox() as sandbox:
            pool = Pool(servers, workspace, sandbox)
            with pool.running():
                noise = Noise()
                starts = _starts(pool, 5 if options.quick else STARTS)
                first = _expansion(pool, small)
                delivery = _delivery(pool, small)
                second = _expansion(pool, large)
                telegram = _telegram(pool, 300 if options.quick else 1_800)
                rss = pool.rss_mb()
                others = noise.cores()
    return Table(
        suite="broadcasts",
        title="Broadcasts",
        columns=("measure", "value", "bar"),
        rows=(
            _expanded(first, "< 5 s" if small == 100_000 else ""),
            _expanded(second, "< 60 s" if large == 1_000_000 else ""),
            ("highest RSS of a worker", f"{rss:.0f} MB", "< 150 MB"),
            (
                f"inbox broadcast to {small:,}",
                f"{delivery['rate']:,.0f} people/s ({delivery['seconds']:.1f} s)",
                ">= 5,000/s",
            ),
            ("the same, slowest second", f"{delivery['slowest']:,.0f} people/s", ""),
            ("start after the due time, p50", f"{starts['p50_ms']:.0f} ms", ""),
            ("the same, max", f"{starts['max_ms']:.0f} ms", "< 2,000 ms"),
            (
                f"Telegram broadcast to {telegram['people']:,}",
                f"{telegram['rate']:.2f} messages/s",
                ">= 29",
            ),
            ("avoidable 429", f"{telegram['limited']}", "0"),
            (
                "message to a single person meanwhile, p50",
                f"{telegram['p50_ms']:.0f} ms",
                "",
            ),
            ("the same, max", f"{telegram['max_ms']:.0f} ms", "< 1,000 ms"),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=(
            {"part": "expansion", **first}, {"part": "expansion", **second}, {"rss_mb": rss},
            {"part": "delivery", **delivery}, {"part": "starts", **starts},
            {"part": "telegram", **telegram}, {"others_cores": others},
        ),
    )  # fmt: skip


def _expanded(found: dict[str, Any], bar: str) -> tuple[str, str, str]:
    people, seconds = found["people"], found["seconds"]
    return (f"expansion of {people:,}", f"{seconds:.1f} s ({people / seconds:,.0f} people/s)", bar)


class Pool:
    """The site whose broadcasts are measured."""

    def __init__(self, servers: Servers, workspace: Path, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
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
        with Child(
            [sys.executable, "manage.py", "qcluster"], log=log, env=self._env, cwd=ROOT
        ) as child:
            self.child = child
            live = "SELECT count(*) >= 2 FROM jobs_worker WHERE stopped_at IS NULL"
            wait_until(lambda: self.value(live), what="two live workers")
            yield
        self._connection.close()

    def run(self, query: str, params: Any = ()) -> None:
        self._connection.execute(query, params)

    def row(self, query: str, params: Any = ()) -> tuple[Any, ...]:
        """The first row of a query."""
        row = self._connection.execute(query, params).fetchone()
        assert row is not None
        return tuple(row)

    def value(self, query: str, params: Any = ()) -> Any:
        """The first value of a query."""
        return self.row(query, params)[0]

    def people(self, count: int) -> None:
        """So many people, and nothing that they were told."""
        self.forget()
        self.run(
            """INSERT INTO inbox_recipient (user_id, login, language)
            SELECT n, 'user' || n, CASE n %% 3 WHEN 0 THEN 'ru' ELSE 'en' END
            FROM generate_series(1, %s) n""",
            [count],
        )
        self.run("VACUUM ANALYZE inbox_recipient")

    def forget(self) -> None:
        """Empty tables, as soon as nobody works on them."""
        idle = """SELECT count(*) = 0 FROM jobs_job
            WHERE kind LIKE 'broadcasts.%%' AND state IN ('available', 'running')"""
        for _ in range(10):
            wait_until(lambda: self.value(idle), what="an idle pool", patience_s=120)
            try:
                self.run(
                    """TRUNCATE inbox_recipient, inbox_notification, inbox_outbox,
                    notification_broadcasts, broadcast_ledger, broadcast_tally CASCADE"""
                )
            except psycopg.errors.DeadlockDetected:
                continue  # a sweep came in between
            return
        raise BenchFailed("broadcasts: the tables are never idle")

    def broadcast(self, *, after_s: float = 0.0, channel: str = "inbox") -> uuid.UUID:
        """A broadcast to everybody, due then. Nobody is told that it is there."""
        broadcast_id = uuid.uuid4()
        self.run(
            """INSERT INTO notification_broadcasts
                (id, title, body, body_ru, audience, channels, status, scheduled_at)
            VALUES (%s, 'Feature launch', 'We are live!', 'Мы в эфире!', '{"type": "all_users"}', %s,
                'scheduled', clock_timestamp() + make_interval(secs => %s))""",
            [broadcast_id, [channel], after_s],
        )
        return broadcast_id

    def rss_mb(self) -> float:
        """The highest that any of its workers has had."""
        peaks = [0.0]
        for process in psutil.Process(self.child.pid).children(recursive=True):
            if "Process-worker" in " ".join(process.cmdline()):
                status = Path(f"/proc/{process.pid}/status").read_text()
                peaks += [
                    int(line.split()[1]) / 1024 for line in status.splitlines() if "VmHWM" in line
                ]
        return max(peaks)


def _expansion(pool: Pool, count: int) -> dict[str, Any]:
    """Expand, and cancel before much is delivered."""
    pool.people(count)
    broadcast_id = pool.broadcast()
    phase = "SELECT phase IN ('delivering', 'canary') FROM notification_broadcasts WHERE id = %s"
    wait_until(lambda: pool.value(phase, [broadcast_id]), what="the ledger", patience_s=300)
    ended = time.time()
    pool.run(
        "UPDATE notification_broadcasts SET status = 'cancelled' WHERE id = %s", [broadcast_id]
    )
    started, total = pool.row(
        "SELECT extract(epoch FROM started_at), total FROM notification_broadcasts WHERE id = %s",
        [broadcast_id],
    )
    rows, people = pool.row(
        "SELECT count(*), count(DISTINCT recipient_id) FROM broadcast_ledger WHERE broadcast_id = %s",
        [broadcast_id],
    )
    _require(
        rows == people == total == count, f"{rows} rows, {people} people, total {total}, of {count}"
    )
    return {"people": count, "seconds": ended - float(started)}


def _delivery(pool: Pool, count: int) -> dict[str, Any]:
    pool.people(count)
    broadcast_id = pool.broadcast()
    state = "SELECT phase, sent, finished_at IS NOT NULL FROM notification_broadcasts WHERE id = %s"
    began, seen = 0.0, []
    while True:
        phase, sent, is_over = pool.row(state, [broadcast_id])
        now = time.monotonic()
        if phase == "delivering":
            began = began or now
            seen.append((now - began, sent))
        if is_over:
            break
        _require(not began or now - began < 300, "delivery takes more than five minutes")
        time.sleep(0.02)
    told, people = pool.row("SELECT count(*), count(DISTINCT recipient_id) FROM inbox_notification")
    sent, total = pool.row(
        "SELECT sent, total FROM notification_broadcasts WHERE id = %s", [broadcast_id]
    )
    _require(
        told == people == sent == total == count,
        f"{told} told, {people} people, sent {sent} of {total}",
    )
    seconds = seen[-1][0]
    per_second = [0] * (int(seconds) + 1)
    for (_, before), (at, after) in pairwise(seen):
        per_second[int(at)] += after - before
    whole = per_second[: int(seconds)] or per_second
    return {
        "people": count, "seconds": seconds, "rate": count / seconds, "slowest": min(whole),
        "per_second": per_second,
    }  # fmt: skip


def _starts(pool: Pool, count: int) -> dict[str, Any]:
    pool.forget()
    ids = [pool.broadcast(after_s=7 + 1.37 * number) for number in range(count)]
    late = []
    for broadcast_id in ids:
        query = "SELECT started_at IS NOT NULL FROM notification_broadcasts WHERE id = %s"
        wait_until(lambda: pool.value(query, [broadcast_id]), what="a start", patience_s=120)  # noqa: B023
        late.append(
            1000
            * float(
                pool.value(
                    """SELECT extract(epoch FROM started_at - scheduled_at) FROM notification_broadcasts
                    WHERE id = %s""",
                    [broadcast_id],
                )
            )
        )
    return {
        "broadcasts": count,
        "p50_ms": statistics.median(late),
        "max_ms": max(late),
        "late_ms": late,
    }


def _telegram(pool: Pool, count: int) -> dict[str, Any]:
    """A broadcast at the limits of Telegram, and messages to single people in the middle of it."""
    pool.people(count)
    pool.run("UPDATE inbox_recipient SET telegram_id = 100000 + user_id")
    pool.sandbox.reset()
    broadcast_id = pool.broadcast(channel="telegram")
    pool.sandbox.wait_for(lambda: pool.sandbox.stats()["delivered"] >= 60, timeout_s=60)
    waits = []
    for number in range(5 if count < 1_000 else 20):
        time.sleep(0.7 + 0.13 * (number % 7))  # odd moments, so that no beat is hit again and again
        chat, before = 900_000 + number, time.time()
        pool.run(
            "INSERT INTO notification_queue (telegram_id, message) VALUES (%s, 'paid')", [chat]
        )
        pool.sandbox.wait_for(lambda: pool.sandbox.messages(chat), timeout_s=60)  # noqa: B023
        waits.append((pool.sandbox.messages(chat)[0]["received_at"] - before) * 1000)
    over = "SELECT finished_at IS NOT NULL FROM notification_broadcasts WHERE id = %s"
    _require(
        not pool.value(over, [broadcast_id]), "the broadcast was over before the single messages"
    )
    wait_until(lambda: pool.value(over, [broadcast_id]), what="the end", patience_s=count / 20 + 60)
    messages = pool.sandbox.messages()
    chats = {each["chat_id"] for each in messages}
    _require(
        len(messages) == len(chats) == count + len(waits), f"{len(messages)} to {len(chats)} chats"
    )
    at = [each["received_at"] for each in messages]
    return {
        "people": count, "seconds": at[-1] - at[0], "rate": (len(at) - 1) / (at[-1] - at[0]),
        "limited": pool.sandbox.stats()["limited"], "p50_ms": statistics.median(waits),
        "max_ms": max(waits), "waits_ms": waits,
    }  # fmt: skip


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise BenchFailed(f"broadcasts: {what}")
