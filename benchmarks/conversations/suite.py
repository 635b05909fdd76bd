"""The conversations suite: thousands of timers that are due within a minute, and how late each webhook is.

A real pool of two workers, and a receiver in a process of its own that notes when it heard of what.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
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

COUNT, QUICK = 10_000, 1_000
SPREAD_S, QUICK_SPREAD_S = 60.0, 6.0
BURST, QUICK_BURST = 5_000, 500
NOTES = (
    "Two workers with 8 threads each, INFO log, PostgreSQL with fsync on, one webhook endpoint with 8 "
    "requests at once. Dialogs of two people; each got two messages, so that every timer was begun anew "
    "once; one dialog in eleven was read in time. What is told: exactly the others, each once.",
    "Decided: from the moment that a timer is due to the row that says what became of it, in the "
    "transaction of its event. Delivered: to the arrival of the request at the receiver.",
    "Burst: as many timers are due at one moment; the time until the last webhook has arrived.",
)


def conversations(options: Options) -> Table:
    """About five minutes; quick, about one. Raises BenchFailed if somebody is told twice, or not."""
    count, spread_s = (QUICK, QUICK_SPREAD_S) if options.quick else (COUNT, SPREAD_S)
    burst = QUICK_BURST if options.quick else BURST
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            site = Site(servers, workspace)
            with site.running():
                noise = Noise()
                steady = _measured(site, count, spread_s)
                flood = _measured(site, burst, 0.0)
                others = noise.cores()
    return Table(
        suite="conversations",
        title="Smart notifications",
        columns=("measure", "value", "bar"),
        rows=(
            (f"timers due within {spread_s:.0f} s", f"{steady['told']:,}", ""),
            ("due to decided, p50", _ms(steady["decided_ms"][0]), ""),
            ("due to decided, p99", _ms(steady["decided_ms"][1]), ""),
            ("due to delivered, p50", _ms(steady["delivered_ms"][0]), ""),
            ("due to delivered, p99", _ms(steady["delivered_ms"][1]), "< 1,000 ms"),
            ("due to delivered, max", _ms(steady["delivered_ms"][2]), ""),
            ("read in time, told all the same", f"0 of {steady['read']:,}", "0"),
            (
                f"burst of {flood['told']:,} due at once, all delivered after",
                f"{flood['delivered_ms'][2] / 1000:.1f} s",
                "",
            ),
            ("messages sent while filling", f"{steady['send_rate']:.0f} per second", ""),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=({"part": "steady", **steady}, {"part": "burst", **flood},
                 {"others_cores": others}),
    )  # fmt: skip


class Site:
    """The site whose timers are measured, and the receiver of its webhooks."""

    def __init__(self, servers: Servers, workspace: Path) -> None:
        self._workspace = workspace
        self._heard = workspace / "heard.txt"
        self._seen = 0
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
            "NOTIFICATION_DELAY_SECS": "600",  # the clock of who fills is moved instead
            "NOTIFICATION_MAX_WAIT_SECS": "86400",
            "WORKER_CONCURRENCY": "2",
            "LOG_LEVEL": "INFO",
        }
        self._connection = servers.postgres()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """A pool on a fresh database, and the receiver."""
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=self._env, check=True,
        )  # fmt: skip
        with contextlib.ExitStack() as stack:
            self._heard.touch()
            port = self._workspace / "port.txt"
            command = [sys.executable, "-m", "benchmarks.conversations.receiver", str(self._heard)]
            self._receiver = stack.enter_context(Child(command, log=port, env=self._env, cwd=ROOT))
            wait_until(lambda: port.read_text().endswith("\n"), what="the receiver")
            self._url = f"http://127.0.0.1:{port.read_text().split()[0]}/"
            log = self._workspace / "switchboard.log"
            command = [sys.executable, "manage.py", "qcluster"]
            self._pool = stack.enter_context(Child(command, log=log, env=self._env, cwd=ROOT))
            wait_until(
                lambda: (
                    self.rows("SELECT count(*) FROM jobs_worker WHERE stopped_at IS NULL") >= [(2,)]
                ),
                what="two live workers",
            )
            yield
        self._connection.close()

    def rows(self, query: str, params: Any = ()) -> list[Any]:
        """All rows of a query."""
        return list(self._connection.execute(query, params).fetchall())

    def fill(self, count: int, spread_s: float) -> dict[str, Any]:
        """So many timers that are due evenly over so long. See benchmarks.conversations.fill."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.conversations.fill",
             str(count), str(spread_s), self._url],
            cwd=ROOT, env=self._env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BenchFailed(f"filling failed:\n{done.stderr or done.stdout}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def heard(self) -> list[tuple[str, float]]:
        """(message, moment) of all requests since `forget`."""
        self._pool.require_alive()
        self._receiver.require_alive()
        lines = self._heard.read_text().splitlines()[self._seen :]
        return [(words[0], float(words[1])) for words in map(str.split, lines) if len(words) == 2]

    def forget(self) -> None:
        """Let no message of before be told or looked at."""
        self._seen += len(self.heard())
        self.rows_drop()

    def rows_drop(self) -> None:
        """Empty the tables of the conversations, and of what was told."""
        self._connection.execute(
            "TRUNCATE conversation_dialog, conversation_participant, conversation_message,"
            " conversation_notice, conversation_stat, webhook_event, webhook_delivery,"
            " webhook_attempt"
        )


def _measured(site: Site, count: int, spread_s: float) -> dict[str, Any]:
    site.forget()
    filled = site.fill(count, spread_s)
    due = {
        str(message): at.timestamp()
        for message, at in site.rows(
            "SELECT args->>'message_id', run_at FROM jobs_job"
            " WHERE kind = 'conversations.notify_unread'"
        )
    }
    _require(len(due) == count + filled["read"], f"{len(due)} timers wait")
    patience_s = filled["last_due"] - filled["first_due"] + 120
    patience_s += max(0.0, filled["seconds"])
    wait_until(lambda: len(site.heard()) >= count, what=f"{count} webhooks", patience_s=patience_s)
    waiting = "SELECT count(*) FROM conversation_participant WHERE pending_position IS NOT NULL"
    wait_until(lambda: site.rows(waiting) == [(0,)], what="the end of all timers")
    times = Counter(message for message, _ in site.heard())
    _require(max(times.values()) == 1, "somebody was told twice")
    _require(len(times) == count, f"{len(times)} messages were told of, not {count}")
    fates = dict(site.rows("SELECT fate || reason, count(*) FROM conversation_notice GROUP BY 1"))
    _require(
        fates == {"sent": count, "skippedread": filled["read"]}, f"what became of them: {fates}"
    )
    decided = [
        (at.timestamp() - due[str(message)]) * 1000
        for message, at in site.rows("SELECT message_id, at FROM conversation_notice")
    ]
    delivered = [(at - due[message]) * 1000 for message, at in site.heard()]
    _require(min(delivered) > 0, "a webhook arrived before its timer was due")
    return {
        "told": count,
        "read": filled["read"],
        "spread_s": spread_s,
        "send_rate": filled["sends"] / filled["seconds"],
        "decided_ms": _spread(decided),
        "delivered_ms": _spread(delivered),
        "worst_of_ten_seconds_ms": _worst(due, site.heard()),
    }


def _spread(values: list[float]) -> tuple[float, float, float]:
    """(p50, p99, max)"""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]


def _worst(due: dict[str, float], heard: list[tuple[str, float]]) -> list[float]:
    """The latest delivery of those that were due within each ten seconds: a stall or a drift?"""
    first = min(due.values())
    worst: dict[int, float] = {}
    for message, at in heard:
        window = int((due[message] - first) // 10)
        worst[window] = max(worst.get(window, 0.0), (at - due[message]) * 1000)
    return [worst[window] for window in sorted(worst)]


def _ms(value: float) -> str:
    return f"{value:,.0f} ms"


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise BenchFailed(f"conversations: {what}")
