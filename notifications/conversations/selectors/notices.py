"""The list of what became of notifications: newest first, page by page, never counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from notifications.conversations.models import Fate, Message, Notice, Reason

PAGE = 50
SLACK = timedelta(minutes=5)  # ids grow with time, but for transactions that overlap

OUTCOMES = (Fate.SENT, *Reason.values)


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices; empty fields match all."""

    outcome: str = ""  # one of OUTCOMES: sent, or why nobody was told
    user_id: str = ""
    dialog_id: UUID | None = None
    message_id: UUID | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None

    def query(self) -> QuerySet[Notice]:
        """The matching notices, newest first."""
        given: dict[str, Any] = {
            "user_id": self.user_id or None,
            "dialog_id": self.dialog_id,
            "at__gte": self.at_from,
            "at__lt": self.at_to,
        }
        found = Notice.objects.filter(
            **{name: value for name, value in given.items() if value is not None}
        )
        if self.outcome == Fate.SENT:
            found = found.filter(fate=Fate.SENT, reason="")
        elif self.outcome:
            found = found.filter(fate=Fate.SKIPPED, reason=self.outcome)
        if self.message_id is not None:
            message = Message.objects.filter(pk=self.message_id).first()
            if message is None:
                return Notice.objects.none()
            found = found.filter(dialog_id=message.dialog_id, position=message.position)
        return found.order_by("-pk")


@dataclass(frozen=True, slots=True)
class NoticesPage:
    """Some notices, and where the next page starts (None: this was the last)."""

    notices: list[Notice]
    after: int | None


def notices_page(where: NoticeFilter, *, after: int | None = None, size: int = PAGE) -> NoticesPage:
    """The notices that match, older than `after`. One query, and up to three small ones."""
    found = where.query()
    if after is not None:
        found = found.filter(pk__lt=after)
    # A range of times as a range of ids, so that the order of the ids can be followed.
    if where.at_from is not None and (first := _first_id(where.at_from - SLACK)) is not None:
        found = found.filter(pk__gte=first)
    if where.at_to is not None and (last := _first_id(where.at_to + SLACK)) is not None:
        found = found.filter(pk__lt=last)
    rows = list(found.select_related("dialog")[: size + 1])
    return NoticesPage(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def _first_id(moment: datetime) -> int | None:
    """The id of the first notice at that moment or later; None if there is none."""
    found = Notice.objects.filter(at__gte=moment).order_by("at", "pk")
    return found.values_list("pk", flat=True).first()
