"""Dialogs that nobody writes in any more are put away."""

from django.conf import settings
from django.db import transaction

from jobs import sql
from jobs.context import current_job
from lib import clock
from notifications.conversations import stats

BATCH = 1000  # rows per transaction

# A dialog that somebody writes in just now is locked, and about to be no longer idle: it is skipped.
_ARCHIVE = """
WITH idle AS (
    SELECT id FROM conversation_dialog
    WHERE archived_at IS NULL AND active_at < %(before)s
    ORDER BY active_at LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
), people AS (
    UPDATE conversation_participant p SET is_archived = true FROM idle
    WHERE p.dialog_id = idle.id AND NOT p.is_archived
)
UPDATE conversation_dialog d SET archived_at = %(now)s FROM idle WHERE d.id = idle.id
"""


def inactive_archive() -> int:
    """Put away, for all who take part, the dialogs without a message for ARCHIVE_AFTER.

    In batches, each in a transaction of its own. Locks: the dialog, then its participants.
    Repeat-safe. Returns how many dialogs.
    """
    if not settings.ARCHIVE_ENABLED:
        return 0
    now, total = clock.now(), 0
    while True:
        given = {"before": now - settings.ARCHIVE_AFTER, "now": now, "most": BATCH}
        with transaction.atomic():
            done = sql.run(_ARCHIVE, given)
            stats.count("archived", done)
        total += done
        if (context := current_job()) is not None:
            context.report(total, msg=f"{total} dialogs archived")
            context.check()
        if done < BATCH:
            return total


def notices_forget() -> int:
    """Delete notices that are older than NOTICE_RETENTION_DAYS, in batches. Returns how many."""
    total = 0
    while True:
        done = sql.run(
            """DELETE FROM conversation_notice WHERE id IN (
                SELECT id FROM conversation_notice WHERE at < %s ORDER BY at LIMIT %s
                FOR UPDATE SKIP LOCKED)""",
            [clock.now() - settings.NOTICE_RETENTION, BATCH],
        )
        total += done
        if done < BATCH:
            return total
