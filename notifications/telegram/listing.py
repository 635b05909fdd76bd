"""Lists of messages: newest first, page by page, never counted, quick on tens of millions of rows.

States, chat, dedup key and "maybe twice" have an index. What else is asked for is looked for in
windows of rows (jobs/selectors/windows.py).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Left
from django.db.models.lookups import LessThanOrEqual

from jobs.selectors.windows import first_id, ids_in_order, ids_in_windows
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
        found = ids_in_order(matching, after=after, size=size)
    else:
        rows = indexed.query().filter(**ids)
        if where.state == SCHEDULED:
            rows = rows.filter(status=QueuedMessage.Status.PENDING)
        found = ids_in_windows(
            rows, matching, after=after, size=size, window=WINDOW, budget_s=BUDGET_S
        )
    return MessagesPage(_read(found.ids), found.after, found.looked_to)


def shown(messages: QuerySet[QueuedMessage]) -> QuerySet[QueuedMessage]:
    """What a line of a list needs: all but the whole text and the tries."""
    return messages.defer("message", "tries").annotate(beginning=Left("message", BEGINNING))


def _id_range(where: MessageFilter) -> dict[str, int]:
    """A range of times as a range of ids, found by bisection; the times themselves still decide.

    Ids grow with time, but whoever inserts may say another created_at; hence the slack.
    """
    found: dict[str, int] = {}
    if where.created_from:
        found["pk__gte"] = first_id("notification_queue", where.created_from - timedelta(days=1))
    if where.created_to:
        found["pk__lt"] = first_id("notification_queue", where.created_to + timedelta(hours=1))
    return found


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


def _read(ids: list[int]) -> list[QueuedMessage]:
    return list(shown(QueuedMessage.objects.filter(pk__in=ids)).order_by("-id"))
