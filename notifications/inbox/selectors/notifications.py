"""Lists of notifications: newest first, page by page, never counted, quick on tens of millions of rows.

People and the rare states have an index. What else is asked for is looked for in windows of rows,
newest first, until a page is full or a moment has passed; then the page says how far back it looked,
and the next one goes on from there.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Left, Length

from jobs.selectors.listing import id_floor, made_at
from lib import clock
from notifications.inbox.models import Notification, Push

PAGE = 50
WINDOW = 20_000  # rows
BUDGET_S = 0.15  # after that no further window is opened
BEGINNING = 200  # characters of a text that a list shows
SLACK = timedelta(minutes=10)  # between the id of a row and its accepted_at

# The states of which there are few; the index inbox_notification_rare finds them.
RARE = ("deferred", "muted", "recalled", "replaced")


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Which notifications; empty fields match all."""

    state: str = ""
    source: str = ""
    priority: int | None = None
    recipient_ids: tuple[int, ...] | None = None  # an empty tuple matches nobody
    collapse_key: str = ""
    correlation_id: str = ""
    text: str = ""  # the message begins with it
    is_late: bool = False  # only what quiet hours held back, now or before
    accepted_from: datetime | None = None
    accepted_to: datetime | None = None
    ids: tuple[UUID, ...] = ()  # these only

    def query(self) -> QuerySet[Notification]:
        """The matching notifications, newest first."""
        exact = {
            "state": self.state or None,
            "source": self.source or None,
            "priority": self.priority,
            "collapse_key": self.collapse_key or None,
            "correlation_id": self.correlation_id or None,
            "message__startswith": self.text or None,
            "deliver_at__isnull": False if self.is_late else None,
            "accepted_at__gte": self.accepted_from,
            "accepted_at__lt": self.accepted_to,
            "pk__in": self.ids or None,
        }
        given = {name: value for name, value in exact.items() if value is not None}
        found = Notification.objects.filter(_id_range(self), **given).order_by("-id")
        if self.recipient_ids is None:
            return found
        # Both cases have an index of their own: what stands in the inbox, and what does not (yet).
        return found.filter(
            Q(recipient_id__in=self.recipient_ids, position__isnull=False)
            | Q(recipient_id__in=self.recipient_ids, position__isnull=True)
        )


@dataclass(frozen=True, slots=True)
class NotificationsPage:
    """Some notifications, and where the next page starts (None: this was the last).

    screens: on how many devices each was seen to arrive, by id; those that reached none are missing.
    looked_to: set if the search stopped before the page was full; older ones were not looked at.
    """

    notifications: list[Notification]
    screens: dict[UUID, int]
    after: UUID | None
    looked_to: datetime | None = None


def notifications_page(
    where: NotificationFilter, *, after: UUID | None = None, size: int = PAGE
) -> NotificationsPage:
    """The notifications that match, older than `after`. Three queries, and two per window looked at.

    Of each text only the beginning is read, as `beginning`.
    """
    matching = where.query()
    indexed = _indexed(where)
    if indexed == where:
        return _page(_ids(_older(matching, after)[: size + 1]), size)
    rows = indexed.query()
    began = time.monotonic()
    found: list[UUID] = []
    while True:
        lowest, is_last = _window_end(_older(rows, after))
        if lowest is not None:
            window = _older(matching, after).filter(pk__gte=lowest)
            found += _ids(window[: size + 1 - len(found)])
        if len(found) > size or is_last or lowest is None:
            return _page(found, size)
        after = lowest
        if time.monotonic() - began > BUDGET_S:
            looked_to = made_at(lowest) + clock.offset()
            return NotificationsPage(_read(found), screens_of(found), lowest, looked_to)


def screens_of(ids: list[UUID]) -> dict[UUID, int]:
    """On how many devices each was seen to arrive. One query on an index."""
    found: dict[UUID, set[str]] = {}
    for notification_id, devices in Push.objects.filter(notification_id__in=ids).values_list(
        "notification_id", "devices"
    ):
        found.setdefault(notification_id, set()).update(devices)
    return {notification_id: len(devices) for notification_id, devices in found.items()}


def shown(notifications: QuerySet[Notification]) -> QuerySet[Notification]:
    """What a line of a list needs: all but the whole text and its data; and whose it is."""
    return (
        notifications.select_related("recipient")
        .defer("message", "data")
        .annotate(beginning=Left("message", BEGINNING), length=Length("message"))
    )


def _id_range(where: NotificationFilter) -> Q:
    """A range of times as a range of ids, which grow with time; the times themselves still decide."""
    found = Q()
    if where.accepted_from:
        found &= Q(pk__gte=id_floor(where.accepted_from - clock.offset() - SLACK))
    if where.accepted_to:
        found &= Q(pk__lt=id_floor(where.accepted_to - clock.offset() + SLACK))
    return found


def _indexed(where: NotificationFilter) -> NotificationFilter:
    """The part of a filter that the database finds without looking at other rows."""
    return replace(
        where,
        state=where.state if where.state in RARE and where.recipient_ids is None else "",
        source="",
        priority=None,
        collapse_key="",
        correlation_id="",
        text="",
        is_late=False,
    )


def _window_end(rows: QuerySet[Notification]) -> tuple[UUID | None, bool]:
    """The lowest id of the next window (None: there are no rows), and whether it is the last one.

    The last window has an end, too: else the database might read on to the beginning of the table.
    """
    if found := _ids(rows[WINDOW - 1 : WINDOW]):
        return found[0], False
    lowest = _ids(rows.order_by("pk")[:1])
    return (lowest[0] if lowest else None), True


def _older(notifications: QuerySet[Notification], after: UUID | None) -> QuerySet[Notification]:
    return notifications if after is None else notifications.filter(pk__lt=after)


def _ids(notifications: QuerySet[Notification]) -> list[UUID]:
    """Ids alone are read from an index that has them in order, whatever else a row holds."""
    return list(notifications.values_list("pk", flat=True))


def _read(ids: list[UUID]) -> list[Notification]:
    return list(shown(Notification.objects.filter(pk__in=ids)).order_by("-id"))


def _page(ids: list[UUID], size: int) -> NotificationsPage:
    more = len(ids) > size
    chosen = ids[:size]
    return NotificationsPage(_read(chosen), screens_of(chosen), ids[size - 1] if more else None)
