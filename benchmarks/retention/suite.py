"""The retention suite: a million old rows go, by batches and by days, while others write to the table."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.retention.writers import CONNECTIONS, Writers
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started

ROWS, ROWS_QUICK = 1_000_000, 100_000
RATE = 100.0  # inserts a second
QUIET_S = 10.0
AFTER_S = 3.0  # what a drop leaves behind is still felt a moment later
BAR_MS = 50
DAYS = 10  # over which the rows of the partitioned table are spread
NOTES = (
    "PostgreSQL with fsync on; database, cleanup and writers share the machine.",
    f"Writers: single inserts into the same table, each committed, {RATE:.0f} a second over {CONNECTIONS} "
    "connections; the time counts from the moment when an insert was due.",
    "By batches: notification_queue, sent a month ago, with all its indexes, 1,000 rows in a transaction "
    "and a pause as long as it took. By days: webhook_attempt, bodies of 1 kB, spread over ten days.",
    "Before: the same writers with no cleanup at work.",
)
_MESSAGES = """
INSERT INTO notification_queue (telegram_id, message, status, created_at, scheduled_at, sent_at)
SELECT n %% 50000, 'A message of the usual length, of about eighty characters, as they are sent.',
    'sent', now() - interval '30 days', now() - interval '30 days', now() - interval '30 days'
FROM generate_series(1, %s) n
"""
_MESSAGE = """
INSERT INTO notification_queue (telegram_id, message, scheduled_at)
VALUES (7, 'A new message', now() + interval '1 day')
"""
_ATTEMPTS = """
INSERT INTO webhook_attempt (delivery_id, endpoint_id, number, at, duration_ms, outcome, url,
    response_body)
SELECT n, '01a20226-4c1e-7b3f-9a52-6f2f0d9c7e10', 1,
    date_trunc('day', now()) - interval '60 days' + make_interval(secs => 86400.0 * {days} * n / %s),
    20, 'delivered', 'https://shop.example/hook', repeat(md5(n::text), 32)
FROM generate_series(0, %s - 1) n
"""
_ATTEMPT = """
INSERT INTO webhook_attempt (delivery_id, endpoint_id, number, at, duration_ms, outcome, url)
VALUES (1, '01a20226-4c1e-7b3f-9a52-6f2f0d9c7e10', 1, now(), 20, 'delivered', 'https://shop.example/')
"""


def retention(options: Options) -> Table:
    """About eight minutes; quick, one. Raises BenchFailed when old rows stay or new ones go."""
    rows = ROWS_QUICK if options.quick else ROWS
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            site = Site(servers, workspace)
            noise = Noise()
            batches = site.measured(
                "reports.clean_notification_queue", "notification_queue", _MESSAGE,
                lambda: site.run(_MESSAGES, [rows]), rows,
            )  # fmt: skip
            days = site.measured(
                "reports.clean_caches", "webhook_attempt", _ATTEMPT,
                lambda: site.attempts(rows), rows,
            )  # fmt: skip
            others = noise.cores()
    return Table(
        suite="retention",
        title="A million rows go while others write" if rows == ROWS else "Old rows go",
        columns=("way", "rows", "seconds", "insert p50", "p99", "max", "p99 before", "bar"),
        rows=(
            ("by batches", *_cells(batches)),
            ("by days", *_cells(days)),
            ("cores that others took meanwhile", f"{others:.2f}", *[""] * 6),
        ),
        notes=NOTES,
        figures=(
            {"way": "batches", **batches},
            {"way": "days", **days},
            {"others_cores": others},
        ),
    )


def _cells(found: dict[str, Any]) -> tuple[str, ...]:
    during, before = found["during"], found["before"]
    return (
        f"{found['rows']:,}",
        f"{found['took_s']:.1f}",
        f"{during['p50_ms']:.1f} ms",
        f"{during['p99_ms']:.1f} ms",
        f"{during['max_ms']:.0f} ms",
        f"{before['p99_ms']:.1f} ms",
        f"p99 < {BAR_MS} ms",
    )


class Site:
    """A migrated database and the processes that clean it."""

    def __init__(self, servers: Servers, workspace: Path) -> None:
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "LOG_LEVEL": "WARNING",
        }
        self._servers = servers
        self._connection = servers.postgres()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=self._env, check=True,
        )  # fmt: skip

    def run(self, statement: str, params: list[Any] | None = None) -> None:
        self._connection.execute(statement, params)

    def attempts(self, rows: int) -> None:
        """Old attempts, in days of their own."""
        for day in range(DAYS):
            self.run(
                f"""DO $$ DECLARE v date := (now() AT TIME ZONE 'UTC')::date - 60 + {day}; BEGIN
                EXECUTE format('CREATE TABLE webhook_attempt_%s PARTITION OF webhook_attempt
                    FOR VALUES FROM (%L) TO (%L)', to_char(v, 'YYYYMMDD'),
                    v::timestamp AT TIME ZONE 'UTC', (v + 1)::timestamp AT TIME ZONE 'UTC');
                END $$"""
            )
        self.run(_ATTEMPTS.format(days=DAYS), [rows, rows])

    def measured(self, kind: str, table: str, insert: str, fill: Any, rows: int) -> dict[str, Any]:
        """The writers alone, then beside a cleanup that has all these rows to remove."""
        fill()
        self.run("VACUUM ANALYZE")
        self.run("CHECKPOINT")
        with Writers(self._servers.postgres, insert, RATE) as alone:
            time.sleep(QUIET_S)
            before = alone.figures()
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.retention.clean", kind],
            cwd=ROOT, env=self._env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stdout
            if process.stdout.readline() != "ready\n":
                raise BenchFailed("the cleanup did not start")
            with Writers(self._servers.postgres, insert, RATE) as beside:
                process.stdin.write("go\n")
                process.stdin.flush()
                done: dict[str, Any] = json.loads(process.stdout.readline() or "{}")
                time.sleep(AFTER_S)
                during = beside.figures()
        self._must_hold(table, done, int(before["written"] + during["written"]))
        return {**done, "rows": rows, "before": before, "during": during}

    def _must_hold(self, table: str, done: dict[str, Any], written: int) -> None:
        found = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        if done.get("state") != "done" or found is None or found[0] != written:
            raise BenchFailed(f"{table}: {written} new rows should be left, {found} are; {done}")
