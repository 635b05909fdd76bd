"""From phase to phase: expanding -> canary -> delivering -> the end. The caller holds the broadcast alone."""

import logging
from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.alerts import attention
from lib import clock
from notifications.broadcasts.control import CANARY_FAILED
from notifications.broadcasts.events import broadcast_ended
from notifications.broadcasts.holding import broadcast_hold
from notifications.broadcasts.models import Broadcast, Channel, Phase, Status
from notifications.broadcasts.starting import lanes_enqueue

logger = logging.getLogger("notifications.broadcast")

CANARY_LEAST = 10  # people per channel: the fate of fewer says nothing

# Anybody may be among them, wherever in the audience they stand.
_CHOOSE = """
UPDATE broadcast_ledger l SET is_canary = true FROM (
    SELECT id FROM broadcast_ledger
    WHERE broadcast_id = %(id)s AND channel = %(channel)s AND fate = 'pending'
    ORDER BY hashint8extended(recipient_id, %(seed)s) LIMIT (
        SELECT greatest(%(least)s, ceil(count(*) * %(percent)s / 100.0)) FROM broadcast_ledger
        WHERE broadcast_id = %(id)s AND channel = %(channel)s AND fate = 'pending'
    )
) c WHERE l.id = c.id
"""
_CANARY = """
SELECT count(*), count(*) FILTER (WHERE fate IN ('pending', 'sending')),
    count(*) FILTER (WHERE fate IN ('failed', 'unknown'))
FROM broadcast_ledger WHERE broadcast_id = %s AND is_canary
"""
_REASONS = """
SELECT reason, count(*) FROM broadcast_ledger
WHERE broadcast_id = %s AND is_canary AND fate IN ('failed', 'unknown') GROUP BY 1 ORDER BY 2 DESC, 1
"""


def phase_enter(row: Broadcast) -> None:
    """Leave the expansion: try it with a few, if that was asked for, else deliver; or end at once."""
    if row.canary_percent and row.open:
        for channel in row.channels:
            sql.run(
                _CHOOSE,
                {
                    "id": row.pk, "channel": channel, "percent": row.canary_percent,
                    "least": CANARY_LEAST, "seed": row.pk.int % 1_000_003,
                },
            )  # fmt: skip
        _move(row, Phase.CANARY)
    else:
        _deliver(row)


def broadcast_step(broadcast_id: UUID) -> bool:
    """Take a broadcast on if its phase is over. Returns whether it was. Repeat-safe.

    Locks: the broadcast, alone; so a lane calls it between two batches.
    """
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if row.status != Status.SENDING or row.phase not in {Phase.CANARY, Phase.DELIVERING}:
            return False
        if row.phase == Phase.DELIVERING:
            if row.open:
                return False
            broadcast_end(row, Status.FAILED if _nobody_got(row) else Status.SENT)
            return True
        total, waiting, errors = sql.row(_CANARY, [row.pk]) or (0, 0, 0)
        if waiting:
            return False
        if total and 100 * errors > row.canary_max_errors * total:
            _stop_canary(row, total, errors)
        else:
            _deliver(row)
        return True


def broadcast_stop(broadcast_id: UUID, reason: str) -> None:
    """Pause a broadcast that a person must look at. Repeat-safe. Locks: the broadcast, alone."""
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if row.status == Status.SENDING:
            _pause(row, reason)


def broadcast_end(row: Broadcast, status: str, error: str = "") -> None:
    """End it as sent or failed, and announce that in the same transaction."""
    row.status, row.error, row.finished_at = status, error[:500], clock.now()
    row.phase = Phase.NONE
    if status == Status.FAILED and not error:
        row.error = "nobody got it: every attempt failed"
    row.updated_at = row.finished_at
    row.save(update_fields=["status", "phase", "error", "finished_at", "updated_at"])
    broadcast_ended(row)
    numbers = " ".join(
        f"{name}={getattr(row, name)}" for name in ("total", "sent", "failed", "skipped", "unknown")
    )
    if status == Status.SENT:
        transaction.on_commit(
            lambda: logger.info("broadcast %s completed status=sent %s", row.pk, numbers)
        )
    else:
        transaction.on_commit(
            lambda: logger.warning("broadcast %s failed %s error=%r", row.pk, numbers, row.error)
        )


def _nobody_got(row: Broadcast) -> bool:
    return row.sent == 0 and row.failed > 0 and row.unknown == 0


def _deliver(row: Broadcast) -> None:
    if row.open:
        _move(row, Phase.DELIVERING)
    else:
        broadcast_end(row, Status.FAILED if _nobody_got(row) else Status.SENT)


def _move(row: Broadcast, phase: str) -> None:
    row.phase, row.updated_at = phase, clock.now()
    row.save(update_fields=["phase", "updated_at"])
    lanes_enqueue(row.pk, phase, [Channel(each) for each in row.channels])


def _stop_canary(row: Broadcast, total: int, errors: int) -> None:
    reasons = ", ".join(f"{reason} {count}" for reason, count in sql.rows(_REASONS, [row.pk]))
    _pause(row, f"{CANARY_FAILED} {errors} of {total} did not get it ({reasons})")


def _pause(row: Broadcast, reason: str) -> None:
    row.status, row.paused_reason, row.updated_at = Status.PAUSED, reason[:300], clock.now()
    row.save(update_fields=["status", "paused_reason", "updated_at"])
    transaction.on_commit(
        lambda: logger.warning("broadcast %s paused %s", row.pk, row.paused_reason)
    )
    attention(
        group=f"broadcast:{row.pk}",
        title="A broadcast was paused",
        text=f"{row.title}: {row.paused_reason}",
        link=f"/admin/broadcasts/broadcast/{row.pk}/change/",
    )
