"""Lists of deliveries: newest first, page by page, never counted, quick on tens of millions of rows.

Endpoint with state, and each of endpoint, state and type alone, have an index. What else is asked for
is looked for in windows of rows, newest first, until a page is full or a moment has passed; then the
page says how far back it looked, and the next one goes on from there.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from jobs import sql
from lib.errors import InputInvalid
from notifications.webhooks.models import Delivery

PAGE = 50
WINDOW = 20_000  # rows
SLACK = timedelta(hours=1)
BUDGET_S = 0.15  # after that no further window is opened
RETRYING = "retrying"  # what people call a pending delivery that has failed before
STATES = (*Delivery.State.values, RETRYING)


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries; empty fields match all."""

    state: str = ""  # one of STATES
    endpoint_id: UUID | None = None
    event_type: str = ""
    status: int | None = None  # the last answer
    created_from: datetime | None = None
    created_to: datetime | None = None
    event_id: UUID | None = None
    ids: tuple[int, ...] = ()  # these only

    def query(self) -> QuerySet[Delivery]:
        """The matching deliveries, newest first. Raises InputInvalid for a state that is none."""
        if self.state and self.state not in STATES:
            raise InputInvalid(f"state must be one of {', '.join(STATES)}")
        exact = {
            "state": "pending" if self.state == RETRYING else self.state or None,
            "tries__gt": 0 if self.state == RETRYING else None,
            "endpoint_id": self.endpoint_id,
            "event_type": self.event_type or None,
            "last_status": self.status,
            "created_at__gte": self.created_from,
            "created_at__lt": self.created_to,
            "event_id": self.event_id,
            "pk__in": self.ids or None,
        }
        given = {name: value for name, value in exact.items() if value is not None}
        return Delivery.objects.filter(**given).order_by("-id")


@dataclass(frozen=True, slots=True)
class DeliveriesPage:
    """Some deliveries, and where the next page starts (None: this was the last).

    looked_to: set if the search stopped before the page was full; older ones were not looked at.
    """

    deliveries: list[Delivery]
    after: int | None
    looked_to: datetime | None = None


def deliveries_page(
    where: DeliveryFilter, *, after: int | None = None, size: int = PAGE
) -> DeliveriesPage:
    """Those that match, older than `after`, with their endpoints. Two queries, two more per window."""
    ids = _id_range(where)
    matching, indexed = where.query().filter(**ids), _indexed(where)
    if indexed == where:
        return _page(_ids(_older(matching, after)[: size + 1]), size)
    rows, found, began = indexed.query().filter(**ids), list[int](), time.monotonic()
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
            made_at = Delivery.objects.values_list("created_at", flat=True).get(pk=lowest)
            return DeliveriesPage(_read(found), lowest, made_at)


def _id_range(where: DeliveryFilter) -> dict[str, int]:
    """A range of times as a range of ids, found by bisection; the times themselves still decide.

    Ids grow with time, but transactions that overlap commit in another order; hence the slack.
    """
    found: dict[str, int] = {}
    if where.created_from:
        found["pk__gte"] = _first_id(where.created_from - SLACK)
    if where.created_to:
        found["pk__lt"] = _first_id(where.created_to + SLACK)
    return found


def _first_id(moment: datetime) -> int:
    """The first id made at that moment or later. One query of some 20 steps on the primary key."""
    found = sql.row(
        """WITH RECURSIVE bisect (low, high) AS (
            SELECT min(id), max(id) + 1 FROM webhook_delivery
            UNION ALL
            SELECT CASE WHEN probe.created_at < %(moment)s THEN probe.id + 1 ELSE b.low END,
                CASE WHEN probe.created_at < %(moment)s THEN b.high ELSE (b.low + b.high) / 2 END
            FROM bisect b CROSS JOIN LATERAL (
                SELECT d.id, d.created_at FROM webhook_delivery d
                WHERE d.id >= (b.low + b.high) / 2 ORDER BY d.id LIMIT 1
            ) probe WHERE b.low < b.high
        ) SELECT max(low) FROM bisect""",
        {"moment": moment},
    )
    return int(found[0]) if found and found[0] is not None else 0


def _indexed(where: DeliveryFilter) -> DeliveryFilter:
    """The part of a filter that the database finds without looking at other rows."""
    if where.ids or where.event_id:
        return where  # a handful in any case
    has_others = bool(where.state or where.endpoint_id)
    return replace(
        where,
        state="pending" if where.state == RETRYING else where.state,
        event_type="" if has_others else where.event_type,
        status=None,
        created_from=None,
        created_to=None,
    )


def _window_end(rows: QuerySet[Delivery]) -> int | None:
    """The lowest id of the next window; None if there are no more rows."""
    found = _ids(rows[WINDOW - 1 : WINDOW]) or _ids(rows.order_by("pk")[:1])
    return found[0] if found else None


def _older(rows: QuerySet[Delivery], after: int | None) -> QuerySet[Delivery]:
    return rows if after is None else rows.filter(pk__lt=after)


def _ids(rows: QuerySet[Delivery]) -> list[int]:
    """Ids alone are read from an index that has them in order, whatever else a row holds."""
    return list(rows.values_list("pk", flat=True))


def _read(ids: list[int]) -> list[Delivery]:
    found = Delivery.objects.filter(pk__in=ids).select_related("endpoint", "endpoint__lane")
    return list(found.order_by("-id"))


def _page(ids: list[int], size: int) -> DeliveriesPage:
    more = len(ids) > size
    return DeliveriesPage(_read(ids[:size]), ids[size - 1] if more else None)
