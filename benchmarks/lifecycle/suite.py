"""The lifecycle suite: what the hourly and the quarter-hourly job cost, by subscribers and by who is due.

The same 1,000 people are due among 10,000, 100,000 and 1,000,000 subscribers; then a million whose
ends are spread over a month and who have been told already, with 1,000 new ones among them.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.bench_venv import ROOT
from benchmarks.harness import Options
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.servers import DATABASE, DATABASE_USER, Servers, servers_started

DUE = 1_000  # in the four brackets together
ENDED, OVERDUE = 250, 100
BAR_S = 2.0
NOTES = (
    "PostgreSQL with fsync on, statistics fresh, one connection; seconds of the calls themselves.",
    "Reminders: INSERT of the notices of all four brackets. Again: the same run once more, nothing new.",
    "Ends: notices for 250 whom the panel has expired. Sweep: the set of 100 who are overdue, its items, "
    "sample, limits and the job, in one transaction.",
    "In the last row 233,000 of the million are in a bracket and were told before: the cost follows who "
    "is in a bracket, not who exists.",
)
_FILL = """
INSERT INTO subscriber (panel_id, username, status, expire_at, telegram_id, traffic_limit_strategy)
SELECT %(from)s + n, 'u' || (%(from)s + n), %(status)s,
    clock_timestamp() + make_interval(
        secs => %(first_s)s + (%(last_s)s - %(first_s)s)::float * n / %(count)s),
    500000000 + %(from)s + n, 'NO_RESET'
FROM generate_series(1, %(count)s) n
"""
_TOLD = """
INSERT INTO subscription_notice (subscriber_id, stage, expire_at, state, decided_at)
SELECT id, CASE WHEN expire_at > clock_timestamp() + interval '3 days' THEN '7d'
    WHEN expire_at > clock_timestamp() + interval '24 hours' THEN '3d'
    WHEN expire_at > clock_timestamp() + interval '6 hours' THEN '24h' ELSE '6h' END,
    expire_at, 'queued', clock_timestamp()
FROM subscriber WHERE expire_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '7 days'
"""
HOUR, DAY = 3600, 86_400


def lifecycle(options: Options) -> Table:
    """About three minutes; quick, without the million. Raises BenchFailed if somebody is missed."""
    sizes = (10_000, 100_000) if options.quick else (10_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            site = Site(servers, workspace)
            found = [(f"{size:,}, {DUE:,} due", site.scan(size)) for size in sizes]
            spread = sizes[-1]
            found.append(
                (f"{spread:,} over a month, {DUE:,} new", site.scan(spread, is_spread=True))
            )
    return Table(
        suite="lifecycle",
        title="Who is due, by the number of subscribers",
        columns=("subscribers", "reminders", "again", "packs", "ends", "sweep", "memory", "bar"),
        rows=tuple((name, *_cells(figures), f"< {BAR_S:g} s") for name, figures in found),
        notes=NOTES,
        figures=tuple({"subscribers": name, **figures} for name, figures in found),
    )


def _cells(figures: dict[str, Any]) -> tuple[str, ...]:
    spans = ("remind_s", "again_s", "packs_s", "expire_s", "sweep_s")
    return (
        *(f"{figures[name] * 1000:.0f} ms" for name in spans),
        f"{figures['rss_mb']:.0f} MB",
    )


class Site:
    """A migrated database, filled anew for each measurement."""

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
        self._connection = servers.postgres()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT, env=self._env, check=True,
        )  # fmt: skip

    def scan(self, size: int, *, is_spread: bool = False) -> dict[str, Any]:
        """One measurement. Raises BenchFailed unless exactly those who are due were found."""
        self._clear()
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.lifecycle.scan"],
            cwd=ROOT, env=self._env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stdout
            if process.stdout.readline() != "ready\n":
                raise BenchFailed("the scan did not start")
            self._fill(size, is_spread=is_spread)
            process.stdin.write("go\n")
            process.stdin.flush()
            figures: dict[str, Any] = json.loads(process.stdout.readline() or "{}")
        wanted = {"ended": ENDED, "found": OVERDUE}
        # A month goes on while it is filled in: some of the told move into their next bracket.
        moved = figures.get("due", 0) - DUE
        is_complete = 0 <= moved <= (DUE // 4 if is_spread else 0)
        if not is_complete or {name: figures.get(name) for name in wanted} != wanted:
            raise BenchFailed(f"not those who are due were found: {figures}")
        return figures

    def _clear(self) -> None:
        self._connection.execute(
            "TRUNCATE subscriber, subscription_notice, subscription_sweep, jobs_job CASCADE"
        )

    def _fill(self, size: int, *, is_spread: bool) -> None:
        rest = size - DUE - ENDED - OVERDUE
        if is_spread:
            self._people(rest, "ACTIVE", HOUR, 30 * DAY)
            self._connection.execute(_TOLD)
        else:
            self._people(rest, "ACTIVE", 8 * DAY, 60 * DAY)
        at = rest
        for first_s, last_s in (
            (HOUR, 5 * HOUR), (7 * HOUR, 23 * HOUR), (25 * HOUR, 70 * HOUR), (4 * DAY, 6 * DAY),
        ):  # fmt: skip
            self._people(DUE // 4, "ACTIVE", first_s, last_s, at)
            at += DUE // 4
        self._people(ENDED, "EXPIRED", -2 * DAY, -HOUR, at)
        self._people(OVERDUE, "ACTIVE", -2 * DAY, -HOUR, at + ENDED)
        self._connection.execute("VACUUM ANALYZE subscriber, subscription_notice")

    def _people(self, count: int, status: str, first_s: int, last_s: int, start: int = 0) -> None:
        self._connection.execute(
            _FILL,
            {"from": start, "count": count, "status": status, "first_s": first_s, "last_s": last_s},
        )
