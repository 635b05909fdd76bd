"""Lists of sweeps, of their people, and of notices: newest first, page by page, never counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from subscriptions.lifecycle.kinds import SweepKind, sweep_kinds
from subscriptions.models import Notice, Subscriber, Sweep, SweepItem, SweepSettings

PAGE = 50
PEOPLE_MOST = 100  # subscriptions of one person
SLACK = timedelta(
    hours=1
)  # transactions that overlap commit in another order than that of their ids
OPEN = "open"  # what people call an item that has no fate yet

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the key after which the next page starts (None: this was the last)."""

    rows: Sequence[Row]
    after: int | UUID | None


@dataclass(frozen=True, slots=True)
class SweepFilter:
    """Which sweeps; empty fields match all."""

    name: str = ""
    state: str = ""
    started_from: datetime | None = None
    started_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices; empty fields match all. username and telegram_id are of one person."""

    stage: str = ""
    state: str = ""
    reason: str = ""
    username: str = ""
    telegram_id: int | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A kind of sweep, its limits, and its last run beside them."""

    kind: SweepKind
    limits: SweepSettings
    last: Sweep | None


def sweeps_page(where: SweepFilter, *, after: UUID | None = None) -> Page[Sweep]:
    """Sweeps, newest first. One query."""
    exact = {
        "name": where.name or None,
        "state": where.state or None,
        "started_at__gte": where.started_from,
        "started_at__lt": where.started_to,
        "pk__lt": after,
    }
    found = Sweep.objects.filter(**_given(exact)).order_by("-id")
    return _page(found)


def items_page(
    sweep_id: UUID, *, fate: str = "", reason: str = "", after: int = 0
) -> Page[SweepItem]:
    """The people of a sweep, in the order of their dates. One query."""
    found = SweepItem.objects.filter(sweep_id=sweep_id, pk__gt=after).select_related("subscriber")
    if fate:
        found = found.filter(fate="" if fate == OPEN else fate)
    if reason:
        found = found.filter(reason=reason)
    return _page(found.order_by("id"))


def notices_page(where: NoticeFilter, *, after: int | None = None) -> Page[Notice]:
    """Notices, newest first. One query; two more for a span of time, one for a person."""
    exact = {
        "stage": where.stage or None,
        "state": where.state or None,
        "reason": where.reason or None,
        "subscriber_id__in": _people(where),
        "created_at__gte": where.created_from,
        "created_at__lt": where.created_to,
        "pk__gte": _first_id(where.created_from and where.created_from - SLACK),
        "pk__lt": _first_id(where.created_to and where.created_to + SLACK),
    }
    found = Notice.objects.filter(**_given(exact)).select_related("subscriber").order_by("-id")
    return _page(found if after is None else found.filter(pk__lt=after))


def _people(where: NoticeFilter) -> list[int] | None:
    """The subscribers that a filter names; None if it names nobody."""
    named = {"username": where.username or None, "telegram_id": where.telegram_id}
    if not _given(named):
        return None
    found = Subscriber.objects.filter(**_given(named)).order_by("pk")
    return list(found.values_list("pk", flat=True)[:PEOPLE_MOST])


def _first_id(moment: datetime | None) -> int | None:
    """An id at about that moment: notices are found by id, and ids grow with time."""
    if moment is None:
        return None
    found = Notice.objects.filter(created_at__gte=moment).order_by("created_at")
    return found.values_list("pk", flat=True).first()


def standings() -> list[Standing]:
    """All kinds of sweeps with their limits. One query, and one per kind."""
    limits = {row.name: row for row in SweepSettings.objects.all()}
    return [
        Standing(
            kind,
            limits.get(kind.name) or SweepSettings(name=kind.name),
            Sweep.objects.filter(name=kind.name).order_by("-id").first(),
        )
        for kind in sweep_kinds()
    ]


def limits_of(name: str) -> SweepSettings:
    """The limits of a sweep as they are, or as they are by default."""
    return SweepSettings.objects.filter(pk=name).first() or SweepSettings(name=name)


def _given(exact: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in exact.items() if value is not None}


def _page(found: QuerySet[Row]) -> Page[Row]:
    rows = list(found[: PAGE + 1])
    return Page(rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None)
