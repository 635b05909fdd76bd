"""Rows that have served: keys whose time is over, fired slots, ended batches, dead letters of long ago."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from jobs import sql
from jobs.models import ScheduleFire, State
from jobs.operations import to_history
from lib import clock

MOST = 10_000  # of each in one call, so that no transaction takes long


def leftovers_drop() -> dict[str, int]:
    """Delete what nobody needs any more; dead letters move to the history. Repeat-safe."""
    now = clock.now()
    old = now - timedelta(days=settings.JOBS["history_days"])
    return {
        "unique_keys": sql.run(
            """DELETE FROM jobs_uniquekey WHERE key IN (
                SELECT key FROM jobs_uniquekey WHERE expires_at <= %s LIMIT %s FOR UPDATE SKIP LOCKED
            )""",
            [now, MOST],
        ),
        # Full since long: the same as none. Follows the clock of the database, as jobs/rates.py does.
        "buckets": sql.run(
            """DELETE FROM jobs_ratebucket WHERE name IN (
                SELECT name FROM jobs_ratebucket WHERE tat < clock_timestamp() - interval '1 day'
                    AND coalesce(paused_until, '-infinity') < clock_timestamp()
                LIMIT %s FOR UPDATE SKIP LOCKED
            )""",
            [MOST],
        ),
        "fires": ScheduleFire.objects.filter(
            pk__in=ScheduleFire.objects.filter(slot_at__lt=old).order_by("pk")[:MOST].values("pk")
        ).delete()[0],
        "batches": sql.run(
            """DELETE FROM jobs_batch WHERE id IN (
                SELECT b.id FROM jobs_batch b WHERE b.finished_at < %s
                    AND NOT EXISTS (SELECT FROM jobs_job j WHERE j.batch_id = b.id)
                LIMIT %s
            )""",
            [old, MOST],
        ),
        "dead": _dead_away(),
    }


def _dead_away() -> int:
    """Put away dead letters that nobody looked at for JOB_DEAD_DAYS. Returns how many."""
    days = settings.JOBS["dead_days"]
    with transaction.atomic():
        found = sql.rows(
            """SELECT id FROM jobs_job WHERE state = 'dead' AND started_at < %s
            LIMIT %s FOR UPDATE SKIP LOCKED""",
            [clock.now() - timedelta(days=days), MOST],
        )
        ids = [row[0] for row in found]
        return to_history(ids, State.DEAD, f"nobody looked for {days} days") if ids else 0
