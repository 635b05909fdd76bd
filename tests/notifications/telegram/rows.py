"""Rows of the queue for tests, and short words for the lane."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from jobs.context import JobContext
from jobs.testing import drain
from lib import clock
from lib.ids import uuid7
from notifications.telegram import lane
from notifications.telegram.drain import Drain
from notifications.telegram.lane import Claimed, Fate
from notifications.telegram.models import Chat, QueuedMessage
from notifications.telegram.tasks import drain_queue

RUN = UUID("01900000-0000-7000-8000-000000000001")
OTHER_RUN = UUID("01900000-0000-7000-8000-000000000002")


def message_make(chat: int = 100, text: str = "Hello", **fields: Any) -> QueuedMessage:
    """The smallest valid row, due now."""
    fields.setdefault("scheduled_at", clock.now())
    return QueuedMessage.objects.create(telegram_id=chat, message=text, **fields)


def messages_make(chats: list[int], **fields: Any) -> list[int]:
    """One message to each, in this order. Returns their ids."""
    return [message_make(chat, **fields).pk for chat in chats]


def ago(seconds: float) -> datetime:
    """So long before now; negative: after."""
    return clock.now() - timedelta(seconds=seconds)


def claim(limit: int = 10, run: UUID = RUN) -> list[Claimed]:
    return lane.messages_claim(limit=limit, run_id=run)


def claim_ids(limit: int = 10, run: UUID = RUN) -> list[int]:
    return [message.id for message in claim(limit, run)]


def mark(row: int | QueuedMessage, outcome: str = "sent", *, run: UUID = RUN, **said: Any) -> bool:
    """Write one fate. Returns whether the row took it."""
    message_id = row if isinstance(row, int) else row.pk
    return message_id in lane.messages_mark(run, [Fate(message_id, outcome, **said)])


def send(row: int | QueuedMessage, outcome: str = "sent", **said: Any) -> None:
    """Claim what is due and write one fate."""
    claim()
    assert mark(row, outcome, **said)


def fresh(row: int | QueuedMessage) -> QueuedMessage:
    """The row as it stands in the table."""
    return QueuedMessage.objects.get(pk=row if isinstance(row, int) else row.pk)


def chat_of(chat: int) -> Chat:
    return Chat.objects.get(pk=chat)


def new_drain() -> Drain:
    """A run of the lane as its job would make it."""
    return Drain(JobContext(uuid7(), "telegram.drain_queue", 1, 5, 1))


def lane_run(after_s: float = 0) -> int:
    """Run the lane, and what it enqueues, as a worker would so many seconds later. Returns how many."""
    with clock.shift(timedelta(seconds=after_s)):
        drain_queue.enqueue()
        return drain(queues=["notifications"])
