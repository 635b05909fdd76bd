"""The history of finished jobs: its days are made ahead and dropped when they are old."""

from datetime import date, timedelta

from django.conf import settings

from lib import clock, partitions

TABLES = ("jobs_jobhistory", "jobs_jobattempt")
COLUMN = "finished_at"
AHEAD = partitions.AHEAD


def days_prepare() -> None:
    """Make the partitions of today and the next days. Repeat-safe."""
    for table in TABLES:
        partitions.days_prepare(table, COLUMN, ahead=AHEAD)


def days_kept() -> dict[str, list[date]]:
    """The days that each table has."""
    return {table: partitions.days_kept(table) for table in TABLES}


def days_drop(*, keep_days: int | None = None, dry_run: bool = False) -> list[str]:
    """Drop the days that are older than the retention. Returns the names of what was dropped.

    Locks: each table for the moment in which its day goes. Raises lib.patience.TableBusy if somebody
    reads it for long.
    """
    keep = settings.JOBS["history_days"] if keep_days is None else keep_days
    oldest = clock.now().date() - timedelta(days=keep)
    return [
        name for table in TABLES for name in partitions.days_drop(table, oldest, dry_run=dry_run)
    ]
