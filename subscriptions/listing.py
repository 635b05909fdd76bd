"""Lists of subscribers and of what happened to them: page by page, never counted, quick on millions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from lib.errors import InputInvalid, NotFound
from subscriptions.filtering import filter_query
from subscriptions.models import Subscriber, SubscriberEvent
from subscriptions.words import say, say_source

PAGE = 50
NEWEST, ENDS = "newest", "ends"
ORDERS = (NEWEST, ENDS)


@dataclass(frozen=True, slots=True)
class SubscribersPage:
    """Some subscribers with their plans. next_cursor is None where the list ends."""

    rows: list[Subscriber]
    next_cursor: str | None


def subscribers_page(
    given: Mapping[str, Any], *, order: str = "", cursor: str = "", size: int = PAGE
) -> SubscribersPage:
    """The subscribers of a filter (subscriptions.filtering). One query.

    order: newest first, or by their ends, the next first; by ends if the filter is about them, so that
    an index has them in order. Raises FilterInvalid, InputInvalid.
    """
    order = order or (ENDS if {"expires_from", "expires_before"} & set(given) else NEWEST)
    if order not in ORDERS:
        raise _refused("order", f"must be one of {', '.join(ORDERS)}")
    rows = _after(filter_query(given), order, cursor)
    columns = ("-id",) if order == NEWEST else ("expire_at", "id")
    found = list(rows.select_related("plan").order_by(*columns)[: size + 1])
    more = len(found) > size
    return SubscribersPage(found[:size], _cursor(found[size - 1], order) if more else None)


def subscriber_get(subscriber_id: int) -> Subscriber:
    """One, with his plan. Raises NotFound."""
    row = Subscriber.objects.select_related("plan").filter(pk=subscriber_id).first()
    if row is None:
        raise NotFound(f"there is no subscriber {subscriber_id}")
    return row


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line of a story, with its sentence."""

    id: int
    at: datetime
    kind: str
    text: str
    source: str
    actor: str
    payment_id: str | None
    job_id: str | None
    given: dict[str, Any]


def story_page(
    subscriber_id: int, *, before: int | None = None, size: int = PAGE
) -> tuple[list[StoryLine], int | None]:
    """What happened to a subscriber, newest first, and where the next page starts. One query."""
    rows = SubscriberEvent.objects.filter(subscriber_id=subscriber_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: size + 1])
    lines = [_line(event) for event in found[:size]]
    return lines, lines[-1].id if len(found) > size else None


def _line(event: SubscriberEvent) -> StoryLine:
    return StoryLine(
        id=event.pk,
        at=event.at,
        kind=event.kind,
        text=say(event.kind, event.data),
        source=say_source(event.source),
        actor=event.actor,
        payment_id=str(event.payment_id) if event.payment_id else None,
        job_id=str(event.job_id) if event.job_id else None,
        given=event.data,
    )


def _after(rows: QuerySet[Subscriber], order: str, cursor: str) -> QuerySet[Subscriber]:
    if not cursor:
        return rows
    moment, _, number = cursor.rpartition("_")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise _refused("cursor", "is not one that we gave")
    if order == NEWEST:
        return rows.filter(pk__lt=int(number))
    try:
        ends_at = datetime.fromisoformat(moment)
    except ValueError:
        ends_at = None
    if ends_at is None or ends_at.tzinfo is None:
        raise _refused("cursor", "is not one that we gave")
    # The first condition alone is what an index can follow.
    return rows.filter(expire_at__gte=ends_at).filter(
        Q(expire_at__gt=ends_at) | Q(pk__gt=int(number))
    )


def _cursor(row: Subscriber, order: str) -> str:
    if order == NEWEST:
        return f"{row.pk}"
    return f"{row.expire_at.isoformat().replace('+00:00', 'Z')}_{row.pk}"


def _refused(field: str, why: str) -> InputInvalid:
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])
