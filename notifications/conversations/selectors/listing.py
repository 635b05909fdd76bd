"""Lists of dialogs: the latest activity first, page by page, never counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower

from notifications.conversations.models import Dialog, Message, Participant

PAGE = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: its last dialog. A dialog that is written in meanwhile moves to the front."""

    active_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class DialogFilter:
    """Which dialogs; empty fields match all."""

    user_id: str = ""  # of somebody who takes part
    is_archived: bool | None = None  # of that person, else put away for all
    has_unread: bool = False  # that person has, or else somebody
    is_waiting: bool = False  # a timer runs
    title: str = ""  # how the title begins, in any case
    active_from: datetime | None = None
    active_to: datetime | None = None

    def query(self) -> QuerySet[Dialog]:
        """The matching dialogs, the latest activity first."""
        given = {
            "active_at__gte": self.active_from,
            "active_at__lt": self.active_to,
        }
        found = Dialog.objects.filter(**{name: value for name, value in given.items() if value})
        people = Participant.objects.filter(left_at=None)
        if self.user_id:
            people = people.filter(user_id=self.user_id)
        if self.has_unread:
            people = people.filter(unread__gt=0)
        if self.is_waiting:
            people = people.filter(pending_position__isnull=False)
        if self.is_archived is not None:
            if self.user_id:
                people = people.filter(is_archived=self.is_archived)
            else:
                found = found.filter(archived_at__isnull=not self.is_archived)
        if self.user_id or self.has_unread or self.is_waiting:
            found = found.filter(pk__in=people.values("dialog_id"))
        if self.title:
            found = found.annotate(lower_title=Lower("title"))
            found = found.filter(lower_title__startswith=self.title.lower())
        return found.order_by("-active_at", "-id")


@dataclass(frozen=True, slots=True)
class DialogsPage:
    """Some dialogs, and where the next page starts (None: this was the last)."""

    dialogs: list[Dialog]
    after: Place | None


def dialogs_page(
    where: DialogFilter, *, after: Place | None = None, size: int = PAGE
) -> DialogsPage:
    """The dialogs that match, beyond `after`. One query."""
    found = where.query()
    if after is not None:
        found = found.filter(
            Q(active_at__lt=after.active_at) | Q(active_at=after.active_at, pk__lt=after.id),
            active_at__lte=after.active_at,  # which the index understands
        )
    rows = list(found[: size + 1])
    last = rows[size - 1] if len(rows) > size else None
    return DialogsPage(rows[:size], Place(last.active_at, last.pk) if last else None)


def latest_of(dialogs: Iterable[Dialog]) -> dict[UUID, Message]:
    """The latest message of each dialog that has one. One query."""
    ids = [each.pk for each in dialogs]
    found = Message.objects.filter(dialog_id__in=ids, position=F("dialog__last_position"))
    return {each.dialog_id: each for each in found}


def participants_of(dialogs: Iterable[Dialog], user_id: str) -> dict[UUID, Participant]:
    """Where one person stands in each dialog. One query."""
    ids = [each.pk for each in dialogs]
    found = Participant.objects.filter(dialog_id__in=ids, user_id=user_id)
    return {each.dialog_id: each for each in found}


def messages_page(
    dialog_id: UUID, *, before: int | None = None, size: int = PAGE
) -> tuple[list[Message], int | None]:
    """The messages of a dialog before a position, the latest first, and where the next page starts."""
    found = Message.objects.filter(dialog_id=dialog_id).order_by("-position")
    if before is not None:
        found = found.filter(position__lt=before)
    rows = list(found[: size + 1])
    return rows[:size], rows[size - 1].position if len(rows) > size else None


def participants_page(
    dialog_id: UUID, *, before: int | None = None, size: int = PAGE
) -> tuple[list[Participant], int | None]:
    """Who takes part or did, the latest to come first, and where the next page starts."""
    found = Participant.objects.filter(dialog_id=dialog_id).order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: size + 1])
    return rows[:size], rows[size - 1].pk if len(rows) > size else None
