"""The admin_lists suite: lists of the console over tables of ten million rows.

Of each list the first page, filters that match much, little and nothing, a search, and a page deep in the
past, through the real views. Void if a page does not answer 200.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.admin_lists.fill import ENDPOINT, TABLES, fill
from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started

BIG, ROWS, QUICK = 10_000_000, 1_000_000, 200_000
BAR_MS = 300
NOTES = (
    "Each page is asked five times through the real view by Django's test client, as a superuser, sidebar "
    "and templates included; the slowest of the five counts against the bar. Of it queries: the median.",
    "PostgreSQL as it ships (128 MB of shared buffers), filled by generate_series, statistics fresh; the "
    "database and the process that asks share the machine.",
    "Deep: the page behind a key in the middle of the table. A search leads to the page that it finds.",
)
LOOKS: dict[str, tuple[str, dict[str, str]]] = {  # the list of a table, and what is asked of it
    "jobs_auditentry": (
        "/admin/jobs/auditentry/",
        {
            "an action": "action=queues.pause",
            "a person": "who=operator_3",
            "nobody": "who=nobody",
            "one thing": "object_type=job&object_id=thing-77",
            "a day long ago": "since=2026-07-01&until=2026-07-02",
            "before last month": "until=30d",
        },
    ),
    "notification_queue": (
        "/admin/telegram/queuedmessage/",
        {
            "failed": "state=failed",
            "a rare type": "notification_type=report_daily",
            "a type that nobody has": "notification_type=nothing",
            "a reason": "reason=blocked",
            "search for a chat": "q=500000077",
            "before yesterday": "created_to=1d",
        },
    ),
    "payment": (
        "/admin/payments/payment/",
        {
            "failed": "state=failed",
            "a rare plan": "plan=rare",
            "found by an operator": "found_by=operator",
            "a provider that is none": "provider=nobody",
            "search for an invoice": "q=77",
            "of a person": "telegram=500000077",
            "a day long ago": "created_from=60d&created_to=2026-10-01",
        },
    ),
    "subscriber": (
        "/admin/subscriptions/subscriber/",
        {
            "out of traffic": "status=LIMITED",
            "a rare tag": "tag=VIP",
            "by name": "name=user_77",
            "search for a name": "q=user_77",
            "ending in 3 days": "status=ACTIVE&expires_before=in 3d",
            "cut by an operator": "cut_by=operator",
            "without Telegram": "telegram=no",
        },
    ),
    "inbox_notification": (
        "/admin/inbox/notification/",
        {
            "recalled": "state=recalled",
            "unread": "state=unread",
            "a rare source": "source=billing",
            "search for a login": "q=user_77",
        },
    ),
    "jobs_jobhistory": (
        "/admin/jobs/jobrecord/",
        {
            "a rare kind": "kind=reports.send_daily_report",
            "completed": "state=completed",
            "cancelled": "state=cancelled",
            "args": "args=%7B%22message_id%22%3A+77%7D",
            "a request": "correlation_id=request-77",
        },
    ),
    "webhook_delivery": (
        "/admin/webhooks/delivery/",
        {
            "failed": "state=failed",
            "of an endpoint": f"endpoint={ENDPOINT}",
            "a rare type": "event_type=broadcast.failed",
            "a status": "status=500",
            "before last hour": "created_to=1h",
        },
    ),
}


def admin_lists(options: Options) -> Table:
    """About twenty minutes and 12 GB of disk; quick, two minutes; --only takes tables.

    Raises BenchFailed on a broken page.
    """
    tables = [each for each in TABLES if not options.only or each.table in options.only]
    sizes = {each.table: QUICK if options.quick else (BIG if each.big else ROWS) for each in tables}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers, _site(servers, workspace) as env:
            with servers.postgres() as connection:
                for each in tables:
                    fill(connection, each, sizes[each.table])
                looks = [look for look in _looks(connection) if look[0] in sizes]
            noise = Noise()
            with _asker(env) as ask:
                found = [
                    {"table": table, "look": look, "rows": sizes[table], **ask(path)}
                    for table, look, path in looks
                ]
            others = noise.cores()
    return Table(
        suite="admin_lists",
        title="Lists of the console over large tables",
        columns=("table", "rows", "page", "median", "slowest", "of it queries", "bar"),
        rows=(
            *(
                (
                    each["table"],
                    f"{each['rows']:,}",
                    each["look"],
                    f"{each['median_ms']:.0f} ms",
                    f"{each['slowest_ms']:.0f} ms",
                    f"{each['asked_ms']:.0f} ms",
                    f"< {BAR_MS} ms",
                )
                for each in found
            ),
            ("cores that others took meanwhile", "", "", f"{others:.2f}", "", "", ""),
        ),
        notes=NOTES,
        figures=tuple(found),
    )


def _looks(connection: psycopg.Connection) -> Iterator[tuple[str, str, str]]:
    """(table, what is looked at, path)."""
    for table, (home, looks) in LOOKS.items():
        yield table, "first page", home
        for look, query in looks.items():
            yield table, look, f"{home}?{query}"
        yield table, "deep page", f"{home}?after={_middle(connection, table)}&page=900"


def _middle(connection: psycopg.Connection, table: str) -> Any:
    """A key near the middle, without counting."""
    row = connection.execute(
        f"SELECT id FROM {table} TABLESAMPLE SYSTEM (0.1) ORDER BY id LIMIT 1 OFFSET 50"
    ).fetchone()
    return row[0] if row else ""


@contextmanager
def _site(servers: Servers, workspace: Path) -> Iterator[dict[str, str]]:
    """The environment of a migrated site."""
    host = str(servers.postgres_socket_dir).replace("/", "%2F")
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(workspace / "switchboard"),
        "DATABASE_URL": f"postgresql://{DATABASE_USER}@/{DATABASE}?host={host}",
        "REDIS_URL": servers.redis_url,
        "LOG_LEVEL": "ERROR",
        "ALLOWED_HOSTS": "testserver",
    }
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=env, check=True)
    yield env


@contextmanager
def _asker(env: dict[str, str]) -> Iterator[Any]:
    """ask(path) -> its figures."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.admin_lists.asker"],
        cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        given, told = process.stdin, process.stdout
        if not told.readline():
            raise BenchFailed("admin_lists: the process that asks did not start")

        def ask(path: str) -> dict[str, Any]:
            given.write(f"{json.dumps({'path': path})}\n")
            given.flush()
            found = json.loads(told.readline() or "{}")
            if found.get("status") != 200:
                raise BenchFailed(f"admin_lists: {path} answers {found.get('status')}")
            return {
                "median_ms": statistics.median(found["ms"]),
                "slowest_ms": max(found["ms"]),
                "asked_ms": statistics.median(found["asked_ms"]),
                "shown": found["rows"],
            }

        try:
            yield ask
        finally:
            given.close()
