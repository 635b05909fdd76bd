"""Lists of deliveries: newest first, page by page, never counted, quick on tens of millions of rows.

Endpoint with state, and each of endpoint, state and type alone, have an index. What else is asked for
is looked for in windows of rows (jobs/selectors/windows.py).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from jobs.selectors.windows import first_id, ids_in_order, ids_in_windows
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
        found = ids_in_order(matching, after=after, size=size)
    else:
        rows = indexed.query().filter(**ids)
        found = ids_in_windows(
            rows, matching, after=after, size=size, window=WINDOW, budget_s=BUDGET_S
        )
    return DeliveriesPage(_read(found.ids), found.after, found.looked_to)


def _id_range(where: DeliveryFilter) -> dict[str, int]:
    """A range of times as a range of ids, found by bisection; the times themselves still decide.

    Ids grow with time, but transactions that overlap commit in another order; hence the slack.
    """
    found: dict[str, int] = {}
    if where.created_from:
        found["pk__gte"] = first_id("webhook_delivery", where.created_from - SLACK)
    if where.created_to:
        found["pk__lt"] = first_id("webhook_delivery", where.created_to + SLACK)
    return found


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


def _read(ids: list[int]) -> list[Delivery]:
    found = Delivery.objects.filter(pk__in=ids).select_related("endpoint", "endpoint__lane")
    return list(found.order_by("-id"))
