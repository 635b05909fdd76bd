"""The history of finished jobs: its days are made ahead and dropped when they are old."""

import re
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import connection

from lib import clock

TABLES = ("jobs_jobhistory", "jobs_jobattempt")
AHEAD = 3


def days_prepare() -> None:
    """Make the partitions of today and the next days. Repeat-safe."""
    today = clock.now().date()
    with connection.cursor() as cursor:
        for table in TABLES:
            for ahead in range(AHEAD + 1):
                cursor.execute(
                    "SELECT jobs_history_day(%s, %s)", [table, today + timedelta(days=ahead)]
                )


def days_kept() -> dict[str, list[date]]:
    """The days that each table has."""
    found: dict[str, list[date]] = {table: [] for table in TABLES}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.relname, c.relname FROM pg_inherits i
            JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
            WHERE p.relname = ANY(%s)""",
            [list(TABLES)],
        )
        for table, name in cursor.fetchall():
            if match := re.fullmatch(rf"{table}_(\d{{4}})(\d\d)(\d\d)", name):
                found[table].append(date(int(match[1]), int(match[2]), int(match[3])))
    return {table: sorted(days) for table, days in found.items()}


def days_drop(*, keep_days: int | None = None, dry_run: bool = False) -> list[str]:
    """Drop the days that are older than the retention. Returns the names of what was dropped.

    Locks: each table for the moment in which its day goes; whoever reads it is waited for.
    """
    keep = settings.JOBS["history_days"] if keep_days is None else keep_days
    oldest = clock.now().date() - timedelta(days=keep)
    dropped = []
    for table, days in days_kept().items():
        for day in days:
            if day < oldest:
                name = f"{table}_{day:%Y%m%d}"
                if not dry_run:
                    with connection.cursor() as cursor:
                        cursor.execute(f'DROP TABLE IF EXISTS "{name}"')
                dropped.append(name)
    if not dry_run:
        _rest_drop(oldest)
    return dropped


def _rest_drop(before: date) -> None:
    """Delete what stands outside of all days, because nobody had made its day in time."""
    moment = datetime.combine(before, time(), UTC)
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}_other WHERE finished_at < %s", [moment])
