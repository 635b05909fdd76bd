"""What the charts of the console are drawn from: every day of a span, with or without a row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reports.statistics.days.spans import DAY, today
from reports.statistics.models import Cohort, CohortKind, DailyStat
from reports.statistics.reporting.figures import (
    Figures,
    currencies_of,
    days_of,
    figures_of,
    rows_between,
)
from reports.statistics.reporting.trends import changes_of, money_changes, percent

SPANS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Slot:
    """A day and its row, if it is computed."""

    day: date
    row: DailyStat | None


@dataclass(frozen=True, slots=True)
class NodeStrip:
    """A server over the days: [(day, uptime 0 to 1 or None, incidents)]."""

    name: str
    uptime: float | None
    incidents: int
    bytes: int | None
    cells: list[tuple[date, float | None, int]]


@dataclass(slots=True)
class Screen:
    """A span of days: as slots, as one, and against the span before it."""

    first: date
    last: date
    slots: list[Slot]
    now: Figures
    before: Figures
    changes: dict[str, Decimal | None]
    money_changes: dict[str, Decimal | None]
    currencies: list[str]
    strips: list[NodeStrip] = field(default_factory=list)

    @property
    def rows(self) -> list[DailyStat]:
        """The rows that there are, oldest first."""
        return [slot.row for slot in self.slots if slot.row is not None]


def screen_of(span: int, until: date | None = None) -> Screen:
    """The days that end with yesterday, or with `until`. One query."""
    last = until or today() - DAY
    return screen_between(last - timedelta(days=span - 1), last)


def screen_between(first: date, last: date) -> Screen:
    """The days from first to last, against as many before them. One query."""
    span = (last - first).days + 1
    back = timedelta(days=span)
    everything = rows_between(first - back, last)
    rows = [row for row in everything if row.day >= first]
    now = figures_of(first, last, rows)
    before = figures_of(first - back, last - back, [row for row in everything if row.day < first])
    by_day = {row.day: row for row in rows}
    return Screen(
        first,
        last,
        [Slot(day, by_day.get(day)) for day in days_of(first, last)],
        now,
        before,
        changes_of(now, before),
        money_changes(now, before),
        currencies_of(now.by_plan) or sorted(now.run_rate),
        _strips(now, [Slot(day, by_day.get(day)) for day in days_of(first, last)]),
    )


def _strips(now: Figures, slots: Sequence[Slot]) -> list[NodeStrip]:
    """Servers, those that did worst first."""
    lines: dict[date, dict[str, dict[str, Any]]] = {
        slot.day: {line["uuid"]: line for line in slot.row.nodes} for slot in slots if slot.row
    }
    made = []
    for node in now.nodes:
        cells = []
        for slot in slots:
            line = lines.get(slot.day, {}).get(node["uuid"])
            cells.append(
                (slot.day, line["uptime"] if line else None, line["incidents"] if line else 0)
            )
        made.append(
            NodeStrip(node["name"], node["uptime"], node["incidents"], node["bytes"], cells)
        )
    return sorted(made, key=lambda strip: (1 if strip.uptime is None else strip.uptime, strip.name))


@dataclass(slots=True)
class Business:
    """How business is over a span: what comes in, who leaves, who pays for the first time.

    churn: lost of those active at its beginning, percent. arpu: {currency: run rate per paying}.
    """

    screen: Screen
    churn: Decimal | None
    churn_before: Decimal | None
    rate_changes: dict[str, Decimal | None]
    arpu: dict[str, Decimal]
    joined: list[Cohort]
    paid: list[Cohort]


def business_of(span: int) -> Business:
    """The figures of a span that ends with yesterday. Two queries."""
    screen = screen_of(span)
    now, before = screen.now, screen.before
    cohorts = list(Cohort.objects.order_by("-month"))
    return Business(
        screen,
        _churn(now, before.users_active),
        _churn(before, _at_begin(before)),
        {
            currency: percent(rate, before.run_rate.get(currency))
            for currency, rate in now.run_rate.items()
        },
        {
            currency: (rate / now.paying).quantize(Decimal("0.01"))
            for currency, rate in now.run_rate.items()
            if now.paying and len(now.run_rate) == 1
        },
        [cohort for cohort in cohorts if cohort.kind == CohortKind.JOINED],
        [cohort for cohort in cohorts if cohort.kind == CohortKind.PAID],
    )


def _churn(figures: Figures, at_begin: int | None) -> Decimal | None:
    """Of those active when the span began, how many were lost in it, in percent."""
    if figures.users_lost is None or not at_begin:
        return None
    return (Decimal(100 * figures.users_lost) / at_begin).quantize(Decimal("0.1"))


def _at_begin(figures: Figures) -> int | None:
    """How many were active at the end of the day before a span."""
    row = DailyStat.objects.filter(pk=figures.first - DAY).only("users_active").first()
    return row.users_active if row else None
