"""The export suite: a million rows into a file, how long, in how much memory, and under which snapshot.

The file is checked each time: as many lines as rows, and the sum of a column as the database has it.
"""

import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started

ROWS, ROWS_QUICK = 1_000_000, 50_000
BAR_S, BAR_MB = 60, 150
ORDERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("payments, CSV", {"type": "payments"}),
    ("payments, CSV, gzip", {"type": "payments", "gzip": True}),
    ("payments, JSON lines", {"type": "payments", "format": "jsonl"}),
    ("users, CSV", {"type": "users"}),
    ("audit, CSV", {"type": "audit", "filters": {"object_type": "job"}}),
)
NOTES = (
    "From the order to the file in its place: rows in chunks of 5,000 along the key, each a COPY of its "
    "own; hashed, synced. PostgreSQL with fsync on; database and writer share the machine.",
    "Memory: the most that the writing process took, Django included, seen every 20 ms. Longest "
    "statement: for so long at most vacuum is held up by the snapshot of an export.",
    "The other ways, of the payments as CSV: one COPY of everything; Django's iterator (a cursor of the "
    "server, 1,000 rows at a time) with Python's csv, without neutralising formulas.",
)
_SUBSCRIBERS = """
INSERT INTO subscriber (panel_id, username, status, expire_at, telegram_id, email, tag,
    used_traffic_bytes, traffic_limit_strategy, online_at, panel_created_at)
SELECT n, 'user_' || n, 'ACTIVE', now() + make_interval(mins => n), 500000000 + n,
    'user_' || n || '@example.com', 'TAG' || n %% 7, n::bigint * 1048576, 'NO_RESET', now(),
    now() - make_interval(mins => n)
FROM generate_series(1, %(count)s) n
"""
_PAYMENTS = """
INSERT INTO payment (id, state, purpose, provider, external_id, subscriber_id, telegram_id, plan_code,
    plan_title, period_days, currency_type, currency, amount, paid_at, completed_at, paid_asset,
    paid_amount, fee_asset, fee_amount, paid_usd_rate, found_by, created_at)
SELECT uuidv7(make_interval(secs => n - %(count)s)), 'completed', 'renewal', 'cryptobot', n::text, n,
    500000000 + n, 'standard-1m', 'Standard, 1 month', 30, 'crypto', 'USDT', 5 + n %% 10, now(), now(),
    'USDT', 5 + n %% 10, 'USDT', 0.15, 1.0003, 'webhook', now() - make_interval(secs => %(count)s - n)
FROM generate_series(1, %(count)s) n
"""
_AUDIT = """
INSERT INTO jobs_auditentry (at, account_name, action, object_type, object_id, changes, correlation_id)
SELECT now() - make_interval(secs => %(count)s - n), 'operator_' || n %% 9, 'jobs.replay', 'job',
    gen_random_uuid()::text, jsonb_build_object('kind', 'telegram.deliver', 'new_job', n),
    'request-' || n
FROM generate_series(1, %(count)s) n
"""
# Of each type a column with numbers, and the sum that the file must have.
_SUMS = {
    "payments": ("subscriber_id", "SELECT sum(subscriber_id) FROM payment"),
    "users": ("panel_id", "SELECT sum(panel_id) FROM subscriber"),
    "audit": ("id", "SELECT sum(id) FROM jobs_auditentry WHERE object_type = 'job'"),
}


def export(options: Options) -> Table:
    """About three minutes; quick, half of one. Raises BenchFailed when a file is not what the tables are."""
    count = ROWS_QUICK if options.quick else ROWS
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, Bench(servers, workspace, count) as bench:
            noise = Noise()
            found = [(name, bench.written(**order)) for name, order in ORDERS]
            others = [
                ("one COPY of all", bench.other("one_copy")),
                ("Django's iterator and csv", bench.other("orm")),
            ]
            taken = noise.cores()
    return Table(
        suite="export",
        title=f"Exports of {count:,} rows",
        columns=("file", "time", "rows/s", "size", "memory", "longest statement", "bar"),
        rows=(
            *((name, *_cells(figures), f"< {BAR_S} s, < {BAR_MB} MB") for name, figures in found),
            *((name, *_cells(figures), "") for name, figures in others),
            ("cores that others took meanwhile", f"{taken:.2f}", "", "", "", "", ""),
        ),
        notes=NOTES,
        figures=tuple({"file": name, **figures} for name, figures in (*found, *others)),
    )


def _cells(figures: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"{figures['took_s']:.1f} s",
        f"{figures['rows'] / figures['took_s']:,.0f}",
        f"{figures['bytes'] / 1e6:.0f} MB",
        f"{figures['peak_mb']:.0f} MB",
        f"{figures['longest_s']:.2f} s",
    )


class Bench:
    """A filled database, and the process that writes."""

    def __init__(self, servers: Servers, workspace: Path, count: int) -> None:
        host = str(servers.postgres_socket_dir).replace("/", "%2F")
        self._env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(workspace / "switchboard"),
            "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
            "REDIS_URL": servers.redis_url,
            "LOG_LEVEL": "ERROR",
        }
        self._connection = servers.postgres()
        self._count = count
        self._writer: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Bench":
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=self._env, check=True)
        for statement in (_SUBSCRIBERS, _PAYMENTS, _AUDIT):
            self._connection.execute(statement, {"count": self._count})
        self._connection.execute("VACUUM ANALYZE subscriber, payment, jobs_auditentry")
        self._writer = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.export.writer"],
            cwd=ROOT, env=self._env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._hear("ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            assert self._writer.stdin is not None
            self._writer.stdin.close()
            try:
                self._writer.wait(5)
            except subprocess.TimeoutExpired:  # in the middle of a file
                self._writer.kill()
                self._writer.wait()
        self._connection.close()

    def written(self, **order: Any) -> dict[str, Any]:
        """One file by the product, checked."""
        figures = self._ask({"way": "product", **order})
        path = Path(figures.pop("path"))
        self._check(path, order)
        path.unlink()
        return figures

    def other(self, way: str) -> dict[str, Any]:
        """The payments in another way."""
        return self._ask({"way": way, "type": "payments"})

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._writer is not None
        assert self._writer.stdin is not None
        self._writer.stdin.write(f"{json.dumps(order)}\n")
        self._writer.stdin.flush()
        figures = self._hear("written")
        if figures["rows"] != self._count:
            raise BenchFailed(f"export: {figures['rows']} rows of {self._count} were written")
        return figures

    def _hear(self, event: str) -> dict[str, Any]:
        assert self._writer is not None
        assert self._writer.stdout is not None
        found: dict[str, Any] = json.loads(self._writer.stdout.readline() or "{}")
        if found.pop("event", None) != event:
            raise BenchFailed("export: the writing process ended early")
        return found

    def _check(self, path: Path, order: dict[str, Any]) -> None:
        column, query = _SUMS[order["type"]]
        row = self._connection.execute(query).fetchone()
        assert row is not None
        total = lines = 0
        opener: Any = gzip.open if order.get("gzip") else open
        with opener(path, "rt", encoding="utf-8", newline="") as file:
            if order.get("format") == "jsonl":
                rows: Any = map(json.loads, file)
            else:
                rows = csv.DictReader(file)
            for found in rows:
                lines, total = lines + 1, total + int(found[column])
        if (lines, total) != (self._count, int(row[0])):
            raise BenchFailed(f"export: {lines} lines, sum {total}; the table has {row[0]}")
