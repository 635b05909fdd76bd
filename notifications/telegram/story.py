"""The story of one message: what holds it up, what is known of its chat, what people did to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from jobs.models import AuditEntry
from lib import clock
from notifications.telegram.lane_state import COUNTED, Obstacle, due_before, lane_obstacles
from notifications.telegram.listing import shown
from notifications.telegram.models import Chat, QueuedMessage
from notifications.telegram.services import MESSAGE, REASONS

RECENT = 10


def message_obstacles(row: QueuedMessage) -> list[Obstacle]:
    """What a waiting message waits for besides its time. Some seven queries; none if it does not wait."""
    if row.status != QueuedMessage.Status.PENDING or row.claimed_at:
        return []
    return [*lane_obstacles(), *_in_front(row)]


def _in_front(row: QueuedMessage) -> Iterator[Obstacle]:
    earlier = (
        QueuedMessage.objects.filter(
            Q(scheduled_at__lt=row.scheduled_at) | Q(scheduled_at=row.scheduled_at, pk__lt=row.pk),
            telegram_id=row.telegram_id, status=QueuedMessage.Status.PENDING, priority=row.priority,
        )
        .order_by("scheduled_at", "pk")
        .only("pk", "attempts")
        .first()
    )  # fmt: skip
    if earlier is not None:
        state = "is being tried again" if earlier.attempts else "goes first"
        text = f"Message {earlier.pk} to the same chat {state}: a chat gets them in order."
        yield Obstacle("message", text, earlier.pk)
    now = clock.now()
    if (row.next_attempt_at or row.scheduled_at) <= now and (count := due_before(row)):
        many = f"{COUNTED:,} or more" if count > COUNTED else f"{count:,}"
        are = "due message is" if count == 1 else "due messages are"
        text = f"{many} {are} in front of it; the bot sends {settings.TELEGRAM_RATE} a second."
        yield Obstacle("lane", text)


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """What is known of a chat. row is None if nothing was ever sent there."""

    row: Chat | None
    recent: list[QueuedMessage]
    said: str


def chat_facts(chat_id: int, *, besides: int | None = None) -> ChatFacts:
    """A chat and its latest messages. Two queries."""
    row = Chat.objects.filter(pk=chat_id).first()
    messages = QueuedMessage.objects.filter(telegram_id=chat_id).order_by("-id")
    if besides is not None:
        messages = messages.exclude(pk=besides)
    return ChatFacts(row, list(shown(messages)[:RECENT]), chat_explain(row))


def chat_explain(row: Chat | None) -> str:
    """Whether messages reach a chat, in a sentence for a person."""
    if row is None:
        return "Nothing was sent to this chat yet."
    if row.migrated_to:
        return f"This group has become {row.migrated_to}; its messages go there."
    if row.unreachable_since:
        why = REASONS.get(row.unreachable_reason or "", "Telegram refuses it.")
        return f"{why} Messages are still tried: the first that arrives makes it reachable again."
    if row.last_sent_at:
        return "Messages reach it."
    return "Nothing has arrived there yet."


def message_tries(row: QueuedMessage) -> list[dict[str, Any]]:
    """The tries of a message, oldest first: {"at": datetime or None, "outcome", "error"}."""
    return [
        {
            "at": parse_datetime(str(entry.get("at", ""))),
            "outcome": str(entry.get("outcome", "")),
            "error": entry.get("error") or "",
        }
        for entry in row.tries
        if isinstance(entry, dict)
    ]


def message_acts(row: QueuedMessage) -> list[AuditEntry]:
    """What people did to a message, newest first."""
    return list(
        AuditEntry.objects.filter(object_type=MESSAGE, object_id=str(row.pk)).order_by("-id")[:50]
    )
