"""Starting broadcasts that are due, and keeping those that run supplied with jobs."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from jobs.registry import kind_get
from lib import clock
from notifications.broadcasts.models import Broadcast, Channel, Phase, Status

START, EXPAND = "broadcasts.start_due", "broadcasts.expand"
INBOX, TELEGRAM = "broadcasts.deliver_inbox", "broadcasts.deliver_telegram"

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
        _enqueue(EXPAND, broadcast_id)
    return started


def next_start_at() -> datetime | None:
    """When the next scheduled broadcast is due; None if there is none."""
    row = Broadcast.objects.filter(status=Status.SCHEDULED).order_by("scheduled_at").first()
    return None if row is None else row.scheduled_at


def lanes_enqueue(broadcast_id: UUID, phase: str, channels: Iterable[str]) -> None:
    """The jobs that the phase needs, in the transaction of the caller. Repeat: finds those that are there."""
    if phase == Phase.EXPANDING:
        _enqueue(EXPAND, broadcast_id)
        return
    if Channel.INBOX in channels:
        _enqueue(INBOX, broadcast_id)
    if (
        Channel.TELEGRAM in channels
        and settings.NOTIFICATION_ENABLED
        and settings.TELEGRAM_BOT_TOKEN
    ):
        kind_get(TELEGRAM).enqueue()


def running_supply() -> int:
    """See to it that whatever is sending has its jobs: one may have died. Returns how many are sending."""
    running = Broadcast.objects.filter(status=Status.SENDING).values_list("pk", "phase", "channels")
    for broadcast_id, phase, channels in running:
        with transaction.atomic():
            lanes_enqueue(broadcast_id, phase, channels)
    return len(running)


def _enqueue(kind: str, broadcast_id: UUID) -> None:
    """One job of the kind per broadcast."""
    kind_get(kind).enqueue(broadcast_id=str(broadcast_id), unique=(kind, broadcast_id))
