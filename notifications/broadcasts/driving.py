"""What the named worker does in its own process: start what is due, and bring it to inboxes itself.

Beside a pool it only helps: every batch is taken by one of them. Telegram is left to its lane, of which one
runs at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from notifications.broadcasts.delivery import batch_deliver
from notifications.broadcasts.expansion import batch_expand
from notifications.broadcasts.models import Broadcast, Channel, Phase, Status
from notifications.broadcasts.starting import due_start
from notifications.broadcasts.stepping import broadcast_step


@dataclass(slots=True)
class Driven:
    """What one tick did: broadcasts that it started, people that it told, broadcasts that have ended."""

    started: int = 0
    people: int = 0
    ended: int = 0


def broadcasts_drive(*, limit: int, check: Callable[[], None]) -> Driven:
    """Start up to `limit` due broadcasts and take those that are being sent as far as inboxes go.

    check is called between batches; it raises to stop. Repeat-safe and safe beside others.
    """
    done = Driven(started=len(due_start(limit=limit)))
    running = Broadcast.objects.filter(status=Status.SENDING).order_by("started_at", "id")
    for broadcast_id in list(running.values_list("pk", flat=True)[:limit]):
        _drive(broadcast_id, done, check)
        if not Broadcast.objects.filter(pk=broadcast_id, status=Status.SENDING).exists():
            done.ended += 1
    return done


def _drive(broadcast_id: UUID, done: Driven, check: Callable[[], None]) -> None:
    while Broadcast.objects.filter(
        pk=broadcast_id, status=Status.SENDING, phase=Phase.EXPANDING
    ).exists():
        check()
        batch_expand(broadcast_id)
    if not Broadcast.objects.filter(pk=broadcast_id, channels__contains=[Channel.INBOX]).exists():
        return
    while True:
        check()
        count = batch_deliver(broadcast_id)
        done.people += count
        if not count and not broadcast_step(broadcast_id):
            return
