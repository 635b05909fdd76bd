"""Lists of messages: newest first, page by page, never counted, quick on tens of millions of rows.

State, chat and dedup key have an index. What else is asked for is looked for in windows of rows,
newest first, until a page is full or a moment has passed; then the page says how far back it looked,
and the next one goes on from there.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Left

from jobs import sql
from lib import clock
from lib.errors import InputInvalid
from notifications.telegram.models import QueuedMessage

PAGE = 50
WINDOW = 20_000  # rows
BUDGET_S = 0.15  # after that no further window is opened
BEGINNING = 200  # characters of a text that a list shows

# What people call the state of a message, beside its status.
DUE, SCHEDULED, RETRYING, SENDING = "due", "scheduled", "retrying", "sending"
STATES = (*QueuedMessage.Status.values, DUE, SCHEDULED, RETRYING, SENDING)


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages; empty fields match all."""

    state: str = ""  # one of STATES
    notification_type: str = ""
    priority: int | None = None
    reason: str = ""
    telegram_id: int | None = None
    dedup_key: str = ""
    is_doubled: bool = False  # only those that may have arrived twice
    created_from: datetime | None = None
    created_to: datetime | None = None
    ids: tuple[int, ...] = ()  # these only

    def query(self) -> QuerySet[QueuedMessage]:
        """The matching messages, newest first."""
        exact = {
            "notification_type": self.notification_type or None,
            "priority": self.priority,
            "reason": self.reason or None,
            "telegram_id": self.telegram_id,
            "dedup_key": self.dedup_key or None,
            "maybe_doubled": self.is_doubled or None,
            "created_at__gte": self.created_from,
            "created_at__lt": self.created_to,
            "pk__in": self.ids or None,
        }
        given = {name: value for name, value in exact.items() if value is not None}
        found = QueuedMessage.objects.filter(**given).order_by("-id")
        return found.filter(state_q(self.state)) if self.state else found


def state_q(state: str) -> Q:
    """The state as people see it. Raises InputInvalid for a word that is none."""
    now = clock.now()
    waiting = Q(status=QueuedMessage.Status.PENDING, claimed_at=None)
    if state == DUE:
        return waiting & Q(_due_before(now))
    if state == SCHEDULED:
        return waiting & Q(scheduled_at__gt=now)
    if state == RETRYING:
        return waiting & Q(attempts__gt=0)
    if state == SENDING:
        return Q(status=QueuedMessage.Status.PENDING, claimed_at__isnull=False)
    if state not in QueuedMessage.Status.values:
        raise InputInvalid(f"state must be one of {', '.join(STATES)}")
    return Q(status=state)


def _due_before(now: datetime) -> Q:
    return Q(next_attempt_at__lte=now) | Q(next_attempt_at=None, scheduled_at__lte=now)


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """Some messages, and where the next page starts (None: this was the last).

    looked_to: set if the search stopped before the page was full; older messages were not looked at.
    """

    messages: list[QueuedMessage]
    after: int | None
    looked_to: datetime | None = None


def messages_page(
    where: MessageFilter, *, after: int | None = None, size: int = PAGE
) -> MessagesPage:
    """The messages that match, older than `after`. One query, or two per window looked at.

    Of each text only the beginning is read, as `beginning`.
    """
    ids = _id_range(where)
    matching = shown(where.query().filter(**ids))
    indexed = _indexed(where)
    if indexed == where:
        return _full(_older(matching, after), size)
    rows = indexed.query().filter(**ids)
    if where.state and not indexed.state:
        rows = rows.filter(status=QueuedMessage.Status.PENDING)
    began = time.monotonic()
    found: list[QueuedMessage] = []
    while True:
        lowest = _older(rows, after).values_list("pk", "created_at")[WINDOW - 1 : WINDOW].first()
        window = _older(matching, after)
        if lowest is not None:
            window = window.filter(pk__gte=lowest[0])
        found += window[: size + 1 - len(found)]
        if len(found) > size or lowest is None:
            return _full(found, size)
        after = lowest[0]
        if time.monotonic() - began > BUDGET_S:
            return MessagesPage(found, *lowest)


def shown(messages: QuerySet[QueuedMessage]) -> QuerySet[QueuedMessage]:
    """What a line of a list needs: all but the whole text and the tries."""
    return messages.defer("message", "tries").annotate(beginning=Left("message", BEGINNING))


def _id_range(where: MessageFilter) -> dict[str, int]:
    """A range of times as a range of ids, found by bisection; the times themselves still decide.

    Ids grow with time, but whoever inserts may say another created_at; hence the slack.
    """
    found: dict[str, int] = {}
    if where.created_from:
        found["pk__gte"] = _first_id(where.created_from - timedelta(days=1))
    if where.created_to:
        found["pk__lt"] = _first_id(where.created_to + timedelta(hours=1))
    return found


def _first_id(moment: datetime) -> int:
    """The first id made at that moment or later. One query of some 20 steps on the primary key."""
    found = sql.row(
        """WITH RECURSIVE bisect (low, high) AS (
            SELECT min(id), max(id) + 1 FROM notification_queue
            UNION ALL
            SELECT CASE WHEN probe.created_at < %(moment)s THEN probe.id + 1 ELSE b.low END,
                CASE WHEN probe.created_at < %(moment)s THEN b.high ELSE (b.low + b.high) / 2 END
            FROM bisect b CROSS JOIN LATERAL (
                SELECT q.id, q.created_at FROM notification_queue q
                WHERE q.id >= (b.low + b.high) / 2 ORDER BY q.id LIMIT 1
            ) probe WHERE b.low < b.high
        ) SELECT max(low) FROM bisect""",
        {"moment": moment},
    )
    return int(found[0]) if found and found[0] is not None else 0


def _indexed(where: MessageFilter) -> MessageFilter:
    """The part of a filter that the database finds without looking at other rows."""
    return replace(
        where,
        state=where.state if where.state in QueuedMessage.Status.values else "",
        notification_type="",
        priority=None,
        reason="",
        is_doubled=False,
        created_from=None,
        created_to=None,
    )


def _older(messages: QuerySet[QueuedMessage], after: int | None) -> QuerySet[QueuedMessage]:
    return messages if after is None else messages.filter(pk__lt=after)


def _full(messages: "QuerySet[QueuedMessage] | list[QueuedMessage]", size: int) -> MessagesPage:
    found = list(messages[: size + 1])
    more = len(found) > size
    return MessagesPage(found[:size], found[size - 1].pk if more else None)
