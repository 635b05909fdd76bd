"""Charts of days and of servers, as SVG made here. `{% load statistics_charts %}`.

Columns stand in units of their own and are drawn as wide as there is room.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from payments.words import amount_say
from reports.statistics.models import DailyStat
from reports.statistics.reporting.telling import rate_round
from reports.statistics.screens.charts import NodeStrip, Slot
from reports.statistics.templatetags.statistics_console import amount, share, size

register = template.Library()

CHART = (640, 140)  # the space of a chart in its own units
STATUSES = (
    ("disabled", "users_disabled"),
    ("expired", "users_expired"),
    ("limited", "users_limited"),
    ("active", "users_active"),
)
Part = tuple[str, float]  # the class of its colour, and how tall it is


def _columns(
    slots: Sequence[Slot],
    parts_of: Callable[[DailyStat], Sequence[Part] | None],
    title_of: Callable[[DailyStat], str],
    label: str,
) -> SafeString:
    """A column per day, of parts on top of each other; a day that cannot tell is hatched."""
    found = [(slot, parts_of(slot.row) if slot.row else None) for slot in slots]
    most = max((sum(value for _, value in parts) for _, parts in found if parts), default=0)
    if not most:
        return mark_safe("")
    step, height = CHART[0] / len(slots), CHART[1] - 4
    groups = []
    for number, (slot, parts) in enumerate(found):
        x, width = number * step + step * 0.1, max(step * 0.8, 0.5)
        if parts is None or slot.row is None:
            groups.append((_absent(slot, x, width),))
            continue
        top, rects = float(CHART[1]), []
        for name, value in parts:
            tall = float(value) / float(most) * height
            top -= tall
            if tall:
                rects.append((name, f"{x:.2f}", f"{top:.2f}", f"{width:.2f}", f"{tall:.2f}"))
        groups.append((_group(title_of(slot.row), rects),))
    return _svg(label, format_html_join("", "{}", groups))


def _group(title: str, rects: Iterable[tuple[str, ...]]) -> SafeString:
    drawn = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', rects)
    return format_html("<g><title>{}</title>{}</g>", title, drawn)


def _absent(slot: Slot, x: float, width: float) -> SafeString:
    why = "not computed" if slot.row is None else "cannot be told"
    rect = ("absent", f"{x:.2f}", "0", f"{width:.2f}", str(CHART[1]))
    return _group(f"{_day(slot.day)}: {why}", [rect])


def _svg(label: str, content: SafeString) -> SafeString:
    return format_html(
        '<svg class="stat-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        *CHART,
        label,
        content,
    )


def _day(value: date) -> str:
    return f"{value:%a} {value.day} {value:%b %Y} UTC"


def _open(row: DailyStat) -> str:
    return "" if row.is_final else " (not final)"


@register.simple_tag
def users_chart(slots: Sequence[Slot]) -> SafeString:
    """Users by status at the end of each day, stacked."""

    def parts(row: DailyStat) -> list[Part] | None:
        if row.users_active is None:
            return None
        return [(name, getattr(row, column) or 0) for name, column in STATUSES]

    def title(row: DailyStat) -> str:
        said = ", ".join(
            f"{getattr(row, column) or 0:,} {name}" for name, column in reversed(STATUSES)
        )
        return f"{_day(row.day)}{_open(row)}: {said}"

    return _columns(slots, parts, title, "Users by status at the end of each day")


@register.simple_tag
def traffic_chart(slots: Sequence[Slot]) -> SafeString:
    """Bytes of each day over all servers."""
    return _columns(
        slots,
        lambda row: None if row.traffic_bytes is None else [("traffic", row.traffic_bytes)],
        lambda row: f"{_day(row.day)}{_open(row)}: {size(row.traffic_bytes)}",
        "Traffic of each day",
    )


@register.simple_tag
def messages_chart(slots: Sequence[Slot]) -> SafeString:
    """Telegram messages of each day: sent, and on top of them failed."""

    def parts(row: DailyStat) -> list[Part] | None:
        if row.messages_sent is None:
            return None
        return [("active", row.messages_sent), ("disabled", row.messages_failed or 0)]

    return _columns(
        slots,
        parts,
        lambda row: (
            f"{_day(row.day)}{_open(row)}: {row.messages_sent:,} sent, {row.messages_failed:,} failed"
        ),
        "Telegram messages of each day",
    )


@register.simple_tag
def money_chart(slots: Sequence[Slot], currency: str) -> SafeString:
    """What each day earned in a currency."""

    def amount_of(row: DailyStat) -> Decimal:
        return Decimal(row.revenue.get(currency, "0"))

    def title(row: DailyStat) -> str:
        back = row.refunds.get(currency)
        refunded = f", {back} {currency} refunded" if back else ""
        return f"{_day(row.day)}{_open(row)}: {amount_say(amount_of(row))} {currency}{refunded}"

    return _columns(
        slots,
        lambda row: [("active", float(amount_of(row)))],
        title,
        f"Revenue of each day in {currency}",
    )


@register.simple_tag
def rate_chart(slots: Sequence[Slot], currency: str) -> SafeString:
    """The run rate at the end of each day."""

    def rate_of(row: DailyStat) -> Decimal:
        return Decimal(row.run_rate.get(currency, "0"))

    return _columns(
        slots,
        lambda row: [("rate", float(rate_of(row)))],
        lambda row: (
            f"{_day(row.day)}: {amount(rate_round(rate_of(row)))} {currency} per 30 days of "
            f"{row.paying:,} who pay"
        ),
        f"Run rate in {currency} at the end of each day",
    )


@register.simple_tag
def flow_chart(slots: Sequence[Slot]) -> SafeString:
    """Who came above the line, who left below it."""
    rows = [slot.row for slot in slots if slot.row]
    most = max((max(row.users_new, row.users_lost or 0) for row in rows), default=0)
    if not most:
        return mark_safe("")
    step, half = CHART[0] / len(slots), CHART[1] / 2
    groups = []
    for number, slot in enumerate(slots):
        x, width = number * step + step * 0.1, max(step * 0.8, 0.5)
        if slot.row is None:
            groups.append((_absent(slot, x, width),))
            continue
        lost = slot.row.users_lost
        up, down = (value / most * (half - 3) for value in (slot.row.users_new, lost or 0))
        rects = [
            ("active", f"{x:.2f}", f"{half - up:.2f}", f"{width:.2f}", f"{up:.2f}"),
            ("disabled", f"{x:.2f}", f"{half:.2f}", f"{width:.2f}", f"{down:.2f}"),
        ]
        left = "unknown" if lost is None else f"{lost:,}"
        title = f"{_day(slot.day)}{_open(slot.row)}: {slot.row.users_new:,} came, {left} left"
        groups.append((_group(title, rects),))
    line = format_html(
        '<line class="zero" x1="0" x2="{}" y1="{}" y2="{}" vector-effect="non-scaling-stroke"/>',
        CHART[0],
        half,
        half,
    )
    drawn = format_html("{}{}", format_html_join("", "{}", groups), line)
    return _svg("Who came and who left on each day", drawn)


@register.simple_tag
def uptime_strip(strip: NodeStrip) -> SafeString:
    """A server over the days: a cell each, in the colour of its uptime."""
    step = CHART[0] / len(strip.cells)
    cells = format_html_join(
        "",
        '<g><title>{}</title><rect class="{}" x="{}" y="0" width="{}" height="20"/></g>',
        (
            (
                _cell_title(day, uptime, incidents),
                _cell_class(uptime),
                f"{number * step:.2f}",
                f"{step * 0.88:.2f}",
            )
            for number, (day, uptime, incidents) in enumerate(strip.cells)
        ),
    )
    return format_html(
        '<svg class="stat-strip" viewBox="0 0 {} 20" preserveAspectRatio="none" role="img" '
        'aria-label="Uptime of {} by day">{}</svg>',
        CHART[0],
        strip.name,
        cells,
    )


def _cell_class(uptime: float | None) -> str:
    if uptime is None:
        return "absent"
    if uptime >= 0.999:
        return "active"
    return "limited" if uptime >= 0.99 else "disabled"


def _cell_title(day: date, uptime: float | None, incidents: int) -> str:
    if uptime is None:
        return f"{_day(day)}: cannot be told"
    times = f", {incidents} incident{'s' if incidents != 1 else ''}" if incidents else ""
    return f"{_day(day)}: {share(uptime)}{times}"


@register.simple_tag
def axis(slots: Sequence[Slot]) -> SafeString:
    """The first, the middle and the last day below a chart."""
    places = sorted({0, len(slots) // 2, len(slots) - 1})
    days = format_html_join(
        "", "<span>{}</span>", ((f"{slots[place].day:%-d %b}",) for place in places)
    )
    return format_html('<div class="axis">{}</div>', days)
