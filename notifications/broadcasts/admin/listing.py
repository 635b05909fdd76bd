"""Which broadcasts a list shows, and acting on many of them one by one."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from lib.errors import DomainError, InputInvalid
from notifications.broadcasts.admin.pages import OPERATE, SEND
from notifications.broadcasts.audiences.registry import audience_describe
from notifications.broadcasts.models import Audience, Broadcast, Status
from notifications.broadcasts.services import (
    broadcast_cancel,
    broadcast_pause,
    broadcast_resume,
)

PAGE = 50
MOST = 50  # of one act: each may have to wait until what is under way has landed
SAMPLE = 10
NOW = (Status.SENDING, Status.PAUSED)


@dataclass(frozen=True, slots=True)
class BroadcastFilter:
    """Whatever is empty matches all. text: part of a title or of a text."""

    ids: tuple[UUID, ...] = ()
    status: str = ""
    channel: str = ""
    text: str = ""
    created_by: str = ""
    missing: bool = False  # some did not get it
    created_from: datetime | None = None
    created_to: datetime | None = None

    def query(self) -> QuerySet[Broadcast]:
        """The broadcasts that match, newest first."""
        found = Broadcast.objects.order_by("-id")
        if self.ids:
            found = found.filter(pk__in=self.ids)
        if self.status:
            found = found.filter(status=self.status)
        if self.channel:
            found = found.filter(channels__contains=[self.channel])
        if self.text:
            words = Q()
            for name in ("title", "title_ru", "body", "body_ru"):
                words |= Q(**{f"{name}__icontains": self.text})
            found = found.filter(words)
        if self.created_by:
            found = found.filter(created_by=self.created_by)
        if self.missing:
            found = found.filter(Q(failed__gt=0) | Q(unknown__gt=0))
        if self.created_from:
            found = found.filter(created_at__gte=self.created_from)
        if self.created_to:
            found = found.filter(created_at__lt=self.created_to)
        return found


@dataclass(frozen=True, slots=True)
class BroadcastsPage:
    """Some broadcasts, and where the next page starts (None: this was the last)."""

    rows: list[Broadcast]
    after: UUID | None
    looked_to: datetime | None = None  # the whole table is looked through: broadcasts are few


def broadcasts_page(where: BroadcastFilter, *, after: UUID | None = None) -> BroadcastsPage:
    """Broadcasts, newest first. One query."""
    found = where.query()
    if after is not None:
        found = found.filter(pk__lt=after)
    rows = list(found[: PAGE + 1])
    return BroadcastsPage(rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None)


def broadcasts_now() -> list[Broadcast]:
    """Those that are sending or paused, in the order in which they began. One query on an index."""
    return list(Broadcast.objects.filter(status__in=NOW).order_by("started_at")[:20])


def audience_words(rows: Iterable[Broadcast]) -> dict[UUID, str]:
    """The audiences in a line each, by the id of the broadcast. One query, if any is an imported list."""
    rows = list(rows)
    lists = {
        str(row.audience.get("audience_id")) for row in rows if row.audience.get("type") == "csv"
    }
    names = {
        str(pk): f"the list “{name}”"
        for pk, name in (
            Audience.objects.filter(pk__in=lists).values_list("pk", "name") if lists else ()
        )
    }
    return {
        row.pk: names.get(str(row.audience.get("audience_id")), "an imported list")
        if row.audience.get("type") == "csv"
        else audience_describe(row.audience)
        for row in rows
    }


@dataclass(slots=True)
class BulkResult:
    """What an act on many did, or would do."""

    matched: int
    more: bool
    sample: list[UUID]
    states: Counter[str] = field(default_factory=Counter)
    done: int = 0
    refused: dict[UUID, str] = field(default_factory=dict)


_ACTS: dict[str, tuple[str, Callable[..., object]]] = {
    "pause": (OPERATE, broadcast_pause),
    "resume": (SEND, broadcast_resume),
    "cancel": (OPERATE, broadcast_cancel),
}


def broadcasts_bulk(*, where: BroadcastFilter, action: str, by: Any, dry_run: bool) -> BulkResult:
    """Pause, resume or cancel up to MOST broadcasts, each in a transaction of its own.

    Repeat-safe. What the services refuse is in `refused`. Raises InputInvalid, PermissionDenied.
    """
    if action not in _ACTS:
        raise InputInvalid(f"action must be one of {', '.join(_ACTS)}")
    permission, act = _ACTS[action]
    rows = list(where.query().values_list("pk", "status")[: MOST + 1])
    more, rows = len(rows) > MOST, rows[:MOST]
    result = BulkResult(len(rows), more, [pk for pk, _ in rows[:SAMPLE]])
    result.states.update(status for _, status in rows)
    if dry_run:
        return result
    if not by.has_perm(permission):
        raise PermissionDenied
    for pk, _ in rows:
        try:
            act(broadcast_id=pk, by=by)
            result.done += 1
        except DomainError as exc:
            result.refused[pk] = exc.message
    return result
