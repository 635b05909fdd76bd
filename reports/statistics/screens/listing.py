"""Days and reports page by page, for the console and over REST: by key, without counting."""

from dataclasses import dataclass
from datetime import date

from lib.errors import NotFound
from notifications.telegram.models import QueuedMessage
from reports.statistics.models import DailyStat, Report, ReportDelivery

PAGE = 50


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports; empty fields match all. told: yes, no or late."""

    kind: str = ""
    told: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class ReportsPage:
    """Some reports, and where the next page starts (None: this was the last)."""

    reports: list[Report]
    after: int | None


@dataclass(frozen=True, slots=True)
class DaysPage:
    """Some days, and where the next page starts."""

    days: list[DailyStat]
    after: date | None


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery and what the queue says of its parts: {"sent": 2}; gone: they were cleaned away."""

    delivery: ReportDelivery
    states: dict[str, int]


def reports_page(where: ReportFilter, *, after: int | None = None, size: int = PAGE) -> ReportsPage:
    """Reports that match, those made last first, older than `after`. One query."""
    found = Report.objects.defer("payload")
    if where.kind:
        found = found.filter(kind=where.kind)
    if where.told == "yes":
        found = found.exclude(told_at=None)
    elif where.told == "no":
        found = found.filter(told_at=None)
    if where.since:
        found = found.filter(period__gte=where.since)
    if where.until:
        found = found.filter(period__lt=where.until)
    if after is not None:
        found = found.filter(pk__lt=after)
    rows = list(found.order_by("-pk")[: size + 1])
    return ReportsPage(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def days_page(
    *, since: date | None, until: date | None, after: date | None = None, size: int = PAGE
) -> DaysPage:
    """Days from since to until (both belong to it), the latest first. One query."""
    found = DailyStat.objects.all()
    if since:
        found = found.filter(day__gte=since)
    if until:
        found = found.filter(day__lte=until)
    if after is not None:
        found = found.filter(day__lt=after)
    rows = list(found.order_by("-day")[: size + 1])
    return DaysPage(rows[:size], rows[size - 1].day if len(rows) > size else None)


def day_get(day: date) -> DailyStat:
    """The row of a day. Raises NotFound."""
    row = DailyStat.objects.filter(pk=day).first()
    if row is None:
        raise NotFound(f"{day} is not computed")
    return row


def report_get(report_id: int) -> Report:
    """A report. Raises NotFound."""
    row = Report.objects.filter(pk=report_id).first()
    if row is None:
        raise NotFound(f"there is no report {report_id}")
    return row


def deliveries_of(report_id: int) -> list[Told]:
    """To whom a report went, the latest first. Two queries."""
    rows = list(ReportDelivery.objects.filter(report=report_id).order_by("-pk")[:100])
    numbers = [number for row in rows for number in row.message_ids]
    states = dict(QueuedMessage.objects.filter(pk__in=numbers).values_list("pk", "status"))
    return [Told(row, _states(row, states)) for row in rows]


def _states(row: ReportDelivery, known: dict[int, str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for number in row.message_ids:
        state = known.get(number, "gone")
        counts[state] = counts.get(state, 0) + 1
    return counts
