"""How the console shows subscribers. `{% load subscribers_console %}`."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from lib import clock
from payments.words import amount_say
from subscriptions.access.gaps import REMEDIES, TITLES
from subscriptions.bulk.closing import title_of
from subscriptions.bulk.rules import REASONS
from subscriptions.models import (
    AccessGap,
    Activation,
    BulkItem,
    BulkOperation,
    CutBy,
    Plan,
    Price,
    Subscriber,
    SubscriberCount,
    TrafficStrategy,
)
from subscriptions.screens.timeline import Line

register = template.Library()

# What it means, and the class of static/jobs/console.css that has its colour.
STATUSES = {
    "ACTIVE": ("active", "the panel serves", "completed"),
    "LIMITED": ("out of traffic", "the panel serves no longer: the traffic is used up", "retrying"),
    "EXPIRED": ("expired", "the time is over", "cancelled"),
    "DISABLED": ("disabled", "somebody switched the access off", "dead"),
}
_OPERATIONS = {
    "waiting": "available",
    "running": "running",
    "paused": "paused",
    "done": "completed",
    "cancelled": "cancelled",
}
_ITEMS = {
    "pending": "available",
    "running": "running",
    "done": "completed",
    "failed": "dead",
    "skipped": "cancelled",
}
_ACTIVATIONS = {
    "pending": ("being switched on", "running"),
    "applied": ("access given", "completed"),
    "failed": ("access failed", "dead"),
    "held": ("held", "retrying"),
}
SOON = timedelta(days=3)
CHART = (640, 140)  # the space of a chart in its own units


def _badge(tone: str, text: str, meaning: str = "") -> SafeString:
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, text)


@register.simple_tag
def subscriber_badge(row: Subscriber) -> SafeString:
    """The status of a subscriber in its colour, as it is now: the mirror may be a moment behind."""
    if row.missing_since is not None:
        return _badge("dead", "gone", "the panel has no such user any more")
    text, meaning, tone = STATUSES.get(row.status, (row.status.lower(), "", "scheduled"))
    if row.status in {"ACTIVE", "LIMITED"} and row.expire_at <= clock.now():
        text, meaning, tone = "time over", "the panel expires it within half a minute", "cancelled"
    return _badge(tone, text, meaning)


@register.simple_tag
def operation_badge(row: BulkOperation) -> SafeString:
    """The state of an operation in its colour."""
    return _badge(_OPERATIONS.get(row.state, "scheduled"), row.get_state_display())


@register.simple_tag
def item_badge(state: str) -> SafeString:
    """The fate of one of an operation in its colour."""
    return _badge(_ITEMS.get(state, "scheduled"), state)


@register.simple_tag
def activation_badge(row: Activation) -> SafeString:
    """Where an activation is, in its colour."""
    text, tone = _ACTIVATIONS.get(row.state, (row.state, "scheduled"))
    return _badge(tone, text, row.get_reason_display())


@register.filter
def cut_by(row: Subscriber) -> str:
    """Who switched somebody off, in words; empty if nobody did."""
    return CutBy(row.cut_by).label if row.cut_by in CutBy.values and row.cut_by else ""


@register.filter
def size(value: int | None) -> str:
    """Bytes as people write them."""
    return filesizeformat(value or 0).replace("\xa0", " ")


@register.filter
def share(row: Subscriber) -> int | None:
    """How much of the traffic is used, in percent up to 100; None if it has no limit."""
    if not row.traffic_limit_bytes:
        return None
    return min(100, round(100 * row.used_traffic_bytes / row.traffic_limit_bytes))


@register.filter
def is_soon(row: Subscriber) -> bool:
    """Whether the end is near, and not past."""
    return timedelta(0) < row.expire_at - clock.now() <= SOON


@register.filter
def amount(value: Decimal | None) -> str:
    """A decimal without trailing zeros."""
    return "" if value is None else amount_say(value)


@register.filter
def money(price: Price) -> str:
    """A price: "5 USDT"."""
    return f"{amount_say(price.amount)} {price.currency}"


@register.filter
def strategy(plan: Plan) -> str:
    """When the panel sets the traffic of a plan to zero."""
    return str(dict(TrafficStrategy.choices).get(plan.traffic_limit_strategy, "never"))


@register.filter
def sums(amounts: dict[str, Decimal]) -> str:
    """Sums by currency: "1,120 USDT + 40 EUR"."""
    return " + ".join(f"{_grouped(value)} {name}" for name, value in sorted(amounts.items()))


def _grouped(value: Decimal) -> str:
    whole, _, rest = amount_say(value).partition(".")
    return f"{int(whole):,}{'.' if rest else ''}{rest}"


@register.filter
def when_iso(text: str) -> str:
    """A moment that was stored as a text: "2026-12-19 09:22 UTC"."""
    try:
        return _utc(datetime.fromisoformat(text).astimezone(UTC))
    except ValueError:
        return text


@register.filter
def drift_side(value: Any) -> str:
    """What one side says of a difference; of who somebody is: name and number."""
    if isinstance(value, dict):
        return f"{value.get('username')}, number {value.get('panel_id')}"
    return "nothing" if value in (None, "") else str(value)


@register.filter
def gap_title(gap: AccessGap) -> str:
    """What does not agree."""
    return TITLES.get(gap.kind, gap.kind)


@register.filter
def remedy(gap: AccessGap) -> str:
    """What Heal does about it; empty where a person has to look."""
    return REMEDIES.get(gap.kind, "")


@register.filter
def operation_title(row: BulkOperation) -> str:
    """An operation in words."""
    return title_of(row)


@register.filter
def why(item: BulkItem) -> str:
    """Why one of an operation has its fate."""
    return reason_words(item.reason)


@register.filter
def reason_words(reason: str) -> str:
    """The reason of a fate, in words."""
    return REASONS.get(reason, reason.replace("_", " "))


@register.filter
def item(mapping: dict[str, Any], key: str) -> Any:
    """What a mapping holds under a key; nothing if it does not."""
    return mapping.get(key, "")


@register.filter
def percent_of(part: int, whole: int) -> int:
    """A share in percent, at least 1 where there is anything."""
    return max(1, round(100 * part / whole)) if part and whole else 0


@register.simple_tag
def line_link(line: Line) -> SafeString | str:
    """Where a line of the story leads to."""
    if line.link is None:
        return ""
    name, key, words = line.link
    try:
        address = reverse(f"admin:{name}", args=[key])
    except NoReverseMatch:
        return ""
    return format_html('<a href="{}">{}</a>', address, words)


@register.simple_tag
def counts_chart(rows: list[SubscriberCount]) -> SafeString:
    """How many were active and online over time, as two lines on one scale from zero."""
    if len(rows) < 2:
        return mark_safe("")
    top = max(max(row.active, row.online) for row in rows) or 1
    start, end = rows[0].at.timestamp(), rows[-1].at.timestamp()
    width, height = CHART

    def points(name: str) -> str:
        return " ".join(
            f"{(row.at.timestamp() - start) / max(end - start, 1) * width:.1f},"
            f"{height - getattr(row, name) / top * (height - 6):.1f}"
            for row in rows
        )

    lines = format_html_join(
        "",
        '<polyline class="{}" points="{}" vector-effect="non-scaling-stroke"/>',
        ((name, points(name)) for name in ("active", "online")),
    )
    said = f"From {_utc(rows[0].at)} to {_utc(rows[-1].at)}: at most {top:,}"
    return format_html(
        '<svg class="count-chart" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        width,
        height,
        said,
        lines,
    )


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
