"""The history of finished jobs: its days are made ahead and dropped when they are old."""

import logging
from datetime import date, timedelta

from django.conf import settings

from lib import clock, partitions
from lib.patience import TableBusy

TABLES = ("jobs_jobhistory", "jobs_jobattempt")
COLUMN = "finished_at"
AHEAD = partitions.AHEAD

logger = logging.getLogger(__name__)


def days_prepare() -> None:
    """Make the partitions of today and the next days. Repeat-safe.

    A table that somebody reads for long is left to the next hour: there are days ahead, and rows
    without one stand in the rest until then.
    """
    for table in TABLES:
        try:
            partitions.days_prepare(table, COLUMN, ahead=AHEAD)
        except TableBusy as exc:
            logger.warning("no days are made just now: %s", exc)


def days_kept() -> dict[str, list[date]]:
    """The days that each table has."""
    return {table: partitions.days_kept(table) for table in TABLES}


def days_drop(*, keep_days: int | None = None, dry_run: bool = False) -> list[str]:
    """Drop the days that are older than the retention. Returns the names of what was dropped.

    Locks: each table for the moment in which its day goes. One that somebody reads for long keeps its
    days until the next hour.
    """
    keep = settings.JOBS["history_days"] if keep_days is None else keep_days
    oldest = clock.now().date() - timedelta(days=keep)
    dropped: list[str] = []
    for table in TABLES:
        try:
            dropped += partitions.days_drop(table, oldest, dry_run=dry_run)
        except TableBusy as exc:
            logger.warning("old days stay for now: %s", exc)
    return dropped
