"""Lists of messages: newest first, page by page, never counted, quick on tens of millions of rows.

States, chat, dedup key and "maybe twice" have an index. What else is asked for is looked for in
windows of rows, newest first, until a page is full or a moment has passed; then the page says how far
back it looked, and the next one goes on from there.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Left
from django.db.models.lookups import LessThanOrEqual

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
        found = QueuedMessage.objects.filter(**given)
        if self.state == DUE:
            # Gathered by their index and sorted: the primary key has the order, but not who is due.
            return found.filter(state_q(DUE)).order_by((F("id") + 0).desc())
        return (found.filter(state_q(self.state)) if self.state else found).order_by("-id")


def state_q(state: str) -> Q:
    """The state as people see it. Raises InputInvalid for a word that is none."""
    now = clock.now()
    waiting = Q(status=QueuedMessage.Status.PENDING, claimed_at=None)
    if state == DUE:
        due_at = Coalesce(F("next_attempt_at"), F("scheduled_at"))  # as the index has it
        return waiting & Q(LessThanOrEqual(due_at, now))
    if state == SCHEDULED:
        return waiting & Q(scheduled_at__gt=now)
    if state == RETRYING:
        return waiting & Q(attempts__gt=0)
    if state == SENDING:
        return Q(status=QueuedMessage.Status.PENDING, claimed_at__isnull=False)
    if state not in QueuedMessage.Status.values:
        raise InputInvalid(f"state must be one of {', '.join(STATES)}")
    return Q(status=state)


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
    """The messages that match, older than `after`. Two queries, and two per window looked at.

    Of each text only the beginning is read, as `beginning`.
    """
    ids = _id_range(where)
    matching = where.query().filter(**ids)
    indexed = _indexed(where)
    if indexed == where:
        return _page(_ids(_older(matching, after)[: size + 1]), size)
    rows = indexed.query().filter(**ids)
    if where.state == SCHEDULED:
        rows = rows.filter(status=QueuedMessage.Status.PENDING)
    began = time.monotonic()
    found: list[int] = []
    while True:
        lowest = _window_end(_older(rows, after))
        if lowest is None:
            return _page(found, size)
        window = _older(matching, after).filter(pk__gte=lowest)
        found += _ids(window[: size + 1 - len(found)])
        if len(found) > size:
            return _page(found, size)
        after = lowest
        if time.monotonic() - began > BUDGET_S:
            made_at = QueuedMessage.objects.values_list("created_at", flat=True).get(pk=lowest)
            return MessagesPage(_read(found), lowest, made_at)


def _window_end(rows: QuerySet[QueuedMessage]) -> int | None:
    """The lowest id of the next window; None if there are no more rows.

    The last window has an end, too: else the database might read on to the beginning of the table.
    """
    found = _ids(rows[WINDOW - 1 : WINDOW]) or _ids(rows.order_by("pk")[:1])
    return found[0] if found else None


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
        state="" if where.state == SCHEDULED else where.state,
        notification_type="",
        priority=None,
        reason="",
        created_from=None,
        created_to=None,
    )


def _older(messages: QuerySet[QueuedMessage], after: int | None) -> QuerySet[QueuedMessage]:
    return messages if after is None else messages.filter(pk__lt=after)


def _ids(messages: QuerySet[QueuedMessage]) -> list[int]:
    """Ids alone are read from an index that has them in order, whatever else a row holds."""
    return list(messages.values_list("pk", flat=True))


def _read(ids: list[int]) -> list[QueuedMessage]:
    return list(shown(QueuedMessage.objects.filter(pk__in=ids)).order_by("-id"))


def _page(ids: list[int], size: int) -> MessagesPage:
    more = len(ids) > size
    return MessagesPage(_read(ids[:size]), ids[size - 1] if more else None)
