"""Starting broadcasts that are due, and keeping those that run supplied with jobs."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from jobs.registry import kind_get
from lib import clock
from notifications.broadcasts.models import Broadcast, Channel, Phase, Status

START, EXPAND = "broadcasts.start_due", "broadcasts.expand"
INBOX, TELEGRAM = "broadcasts.deliver_inbox", "broadcasts.deliver_telegram"
# Is one due that was not started, or is one being sent, whose jobs may have died?
LOOK = """
SELECT 1 FROM notification_broadcasts WHERE status = 'scheduled' AND scheduled_at <= %(now)s
UNION ALL SELECT 1 FROM notification_broadcasts WHERE status = 'sending'
"""
STALLED = timedelta(seconds=3)  # each batch moves `updated_at`

_START = """
UPDATE notification_broadcasts b SET status = 'sending', phase = 'expanding', started_at = %(now)s,
    updated_at = %(now)s
FROM (
    SELECT id FROM notification_broadcasts WHERE status = 'scheduled' AND scheduled_at <= %(now)s
    ORDER BY scheduled_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
) d WHERE b.id = d.id RETURNING b.id
"""


def start_later(broadcast: Broadcast) -> None:
    """Have it started when its time comes, to the second; the sweep is only the net."""
    assert broadcast.scheduled_at is not None
    kind_get(START).enqueue(run_at=max(broadcast.scheduled_at, clock.now()))


@transaction.atomic
def due_start(*, limit: int = 100) -> list[UUID]:
    """Start what is due, the longest due first. Returns their ids.

    Repeat-safe and safe beside others: the row changes once, together with the job that goes on.
    """
    started = [row[0] for row in sql.rows(_START, {"now": clock.now(), "limit": limit})]
    for broadcast_id in started:
        lanes_enqueue(broadcast_id, Phase.EXPANDING, ())
    return started


def next_start_at() -> datetime | None:
    """When the next scheduled broadcast is due; None if there is none."""
    row = Broadcast.objects.filter(status=Status.SCHEDULED).order_by("scheduled_at").first()
    return None if row is None else row.scheduled_at


def lanes_enqueue(
    broadcast_id: UUID,
    phase: str,
    channels: Iterable[str],
    *,
    unique: tuple[str, ...] | None = None,
) -> None:
    """The jobs that the phase needs, in the transaction of the caller.

    A change of phase always makes its own: one of the phase before may be about to end, having found
    nothing to do. unique: none, if one with these words is there already.
    """
    if phase == Phase.EXPANDING:
        kinds = [EXPAND]
    else:
        lanes = settings.BROADCASTS_INBOX_LANES if phase == Phase.DELIVERING else 1
        kinds = [INBOX] * lanes if Channel.INBOX in channels else []
    for number, kind in enumerate(kinds):
        key = None if unique is None else (kind, *unique, number, broadcast_id)
        kind_get(kind).enqueue(broadcast_id=str(broadcast_id), unique=key)
    if phase != Phase.EXPANDING and Channel.TELEGRAM in channels:
        kind_get(TELEGRAM).enqueue()  # whether it may send is known by the worker that runs it


def running_supply() -> int:
    """Give whatever is sending and does not move its jobs again: one may have died. Returns how many are
    sending. A job that only waits for its turn gets no second one."""
    running = Broadcast.objects.filter(status=Status.SENDING)
    stalled = running.filter(updated_at__lt=clock.now() - STALLED)
    for broadcast_id, phase, channels in stalled.values_list("pk", "phase", "channels"):
        with transaction.atomic():
            lanes_enqueue(broadcast_id, phase, channels, unique=("stalled", phase))
    return running.count()
