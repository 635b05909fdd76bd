"""Where a broadcast is, and who may change that: schedule, send now, pause, resume, cancel.

A pause and a cancel hold from the moment they return. What the inbox gets is written in transactions that
hold the broadcast, so none is under way. A Telegram message is claimed before it is sent, and is sent
within START_WITHIN of its claim or not at all: these functions wait until no claim of that age is left.
"""

import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import available_timezones

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from jobs.registry import kind_get
from lib import clock
from notifications.broadcasts.audiences.registry import audience_check
from notifications.broadcasts.drafting import EDITABLE, OBJECT, TIME_ZONE_WISH, moment_rule
from notifications.broadcasts.errors import BroadcastInvalid, BroadcastSettled
from notifications.broadcasts.holding import broadcast_hold
from notifications.broadcasts.models import Broadcast, Phase, Status
from notifications.broadcasts.starting import lanes_enqueue, start_later

START_WITHIN = timedelta(
    seconds=2
)  # a claimed message whose request has not begun by then goes back
_CONNECT = timedelta(seconds=5)  # what the client of Telegram takes for that at most
_LANDED = START_WITHIN + _CONNECT + timedelta(milliseconds=300)
_LOOK_S = 0.02
CLOSE = "broadcasts.close_cancelled"
CANCELLABLE = (Status.DRAFT, Status.SCHEDULED, Status.SENDING, Status.PAUSED)


@transaction.atomic
def broadcast_schedule(
    *,
    broadcast_id: UUID,
    scheduled_at: datetime | None,
    time_zone: str | None = None,
    by: Account,
) -> Broadcast:
    """Send it at that moment; None makes it a draft again. A moment that is over means now.

    Raises BroadcastUnknown, BroadcastSettled, BroadcastInvalid. Locks: the broadcast, alone.
    """
    row = broadcast_hold(broadcast_id)
    _expect(row, EDITABLE, "scheduled")
    if scheduled_at is not None:
        is_good, wish = moment_rule(scheduled_at)
        if not is_good:
            raise BroadcastInvalid("scheduled_at", wish)
    if time_zone and time_zone not in available_timezones():
        raise BroadcastInvalid("time_zone", TIME_ZONE_WISH)
    row.scheduled_at = scheduled_at
    row.status = Status.DRAFT if scheduled_at is None else Status.SCHEDULED
    row.time_zone = time_zone or row.time_zone
    _save(row, "scheduled_at", "time_zone")
    if scheduled_at is not None:
        row.audience = audience_check(row.audience)
        start_later(row)
    audit_write(
        by,
        "broadcasts.schedule",
        OBJECT,
        row.pk,
        at=scheduled_at.isoformat() if scheduled_at else None,
    )
    return row


@transaction.atomic
def broadcast_send_now(*, broadcast_id: UUID, by: Account) -> Broadcast:
    """Start it now: from a draft or ahead of its time. Raises BroadcastUnknown, BroadcastSettled.

    Repeat: one that is sending already is given back as it is. Locks: the broadcast, alone.
    """
    row = broadcast_hold(broadcast_id)
    if row.status == Status.SENDING:
        return row
    _expect(row, EDITABLE, "sent now")
    row.audience = audience_check(row.audience)
    row.status, row.phase, row.started_at = Status.SENDING, Phase.EXPANDING, clock.now()
    _save(row, "phase", "started_at")
    lanes_enqueue(row.pk, row.phase, row.channels)
    audit_write(by, "broadcasts.send_now", OBJECT, row.pk, title=row.title)
    return row


def broadcast_pause(*, broadcast_id: UUID, by: Account, reason: str = "") -> Broadcast:
    """Send no more until it is resumed. Holds from the moment this returns (see above).

    Raises BroadcastUnknown, BroadcastSettled. Repeat-safe. Locks: the broadcast, alone.
    """
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if row.status != Status.PAUSED:
            _expect(row, (Status.SENDING,), "paused")
            row.status = Status.PAUSED
            row.paused_reason = reason[:300] or "paused by a person"
            _save(row, "paused_reason")
            audit_write(by, "broadcasts.pause", OBJECT, row.pk, reason=row.paused_reason)
    flying_land(broadcast_id)
    return row


@transaction.atomic
def broadcast_resume(*, broadcast_id: UUID, by: Account) -> Broadcast:
    """Go on where it was paused. After a canary that failed this means: to everybody, all the same.

    Raises BroadcastUnknown, BroadcastSettled. Repeat-safe. Locks: the broadcast, alone.
    """
    row = broadcast_hold(broadcast_id)
    if row.status == Status.SENDING:
        return row
    _expect(row, (Status.PAUSED,), "resumed")
    if row.phase == Phase.CANARY and row.paused_reason.startswith(CANARY_FAILED):
        row.phase = Phase.DELIVERING
    row.status, row.paused_reason, row.rate, row.rate_at = Status.SENDING, "", 0, None
    _save(row, "phase", "paused_reason", "rate", "rate_at")
    lanes_enqueue(row.pk, row.phase, row.channels)
    audit_write(by, "broadcasts.resume", OBJECT, row.pk)
    return row


def broadcast_cancel(*, broadcast_id: UUID, by: Account) -> Broadcast:
    """Never send what is not sent yet. Holds from the moment this returns (see above).

    Whoever has not got it is skipped (`cancelled`) in the ledger, by a job. Raises BroadcastUnknown,
    BroadcastSettled. Repeat-safe. Locks: the broadcast, alone.
    """
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if row.status != Status.CANCELLED:
            _expect(row, CANCELLABLE, "cancelled")
            row.status = Status.CANCELLED
            row.cancelled_at = row.finished_at = clock.now()
            _save(row, "cancelled_at", "finished_at")
            if row.total:
                kind_get(CLOSE).enqueue(broadcast_id=str(row.pk), unique=(CLOSE, row.pk))
            audit_write(by, "broadcasts.cancel", OBJECT, row.pk, open=row.open)
    flying_land(broadcast_id)
    return row


CANARY_FAILED = "canary:"  # how the reason of such a pause begins


def flying_land(broadcast_id: UUID) -> None:
    """Wait until whatever was claimed has been sent or given back. Inside of a transaction it cannot."""
    if transaction.get_connection().in_atomic_block:
        return
    pause, until = threading.Event(), time.monotonic() + _LANDED.total_seconds()
    while time.monotonic() < until and _is_flying(broadcast_id):
        pause.wait(_LOOK_S)


def _is_flying(broadcast_id: UUID) -> bool:
    return (
        sql.row(
            """SELECT 1 FROM broadcast_ledger WHERE fate = 'sending' AND broadcast_id = %s
            AND at > clock_timestamp() + %s - %s LIMIT 1""",
            [broadcast_id, clock.offset(), _LANDED],
        )
        is not None
    )


def _expect(row: Broadcast, allowed: Sequence[str], what: str) -> None:
    if row.status not in allowed:
        raise BroadcastSettled(
            f"the broadcast is {row.status}; it cannot be {what}", broadcast_status=row.status
        )


def _save(row: Broadcast, *fields: str) -> None:
    row.updated_at = clock.now()
    row.save(update_fields=["status", "updated_at", *fields])
