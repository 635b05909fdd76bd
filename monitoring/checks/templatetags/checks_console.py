"""How the console shows services and rules. `{% load checks_console %}`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from lib import clock, durations
from monitoring.checks.models import ServiceOutage
from monitoring.checks.selectors.rules import PIECES, RuleView, say
from monitoring.checks.selectors.services import Quickness, ServiceView
from monitoring.checks.selectors.uptime import Piece, Uptime

register = template.Library()

# State: what it means, the class of static/jobs/console.css that has its colour.
STATES = {
    "up": ("the last look succeeded", "completed"),
    "failing": ("failed once or twice in a row; three make an alert", "retrying"),
    "down": ("failed three times in a row or more", "dead"),
    "off": ("there is no address or token, so nobody looks", "cancelled"),
    "unknown": ("nobody has looked yet", "cancelled"),
}
CONDITIONS = {
    "ok": ("fine", "within its threshold", "completed"),
    "over": ("over", "beyond its threshold", "dead"),
    "idle": ("nothing to measure", "there is nothing that could be wrong", "cancelled"),
    "unknown": ("cannot be measured", "alerts nobody meanwhile", "retrying"),
    "off": ("off", "a person has switched it off", "paused"),
    "new": ("not measured yet", "the first measuring comes within a minute", "cancelled"),
}
OUTAGES = {"down": "dead", "refused": "retrying", "unwatched": "cancelled"}
STRIP_HEIGHT = 24
LATENCY = (640, 120)  # the space of charts in their own units
TREND = (96, 28)
_CUT = 4  # times the slowest half


@register.simple_tag
def service_badge(view: ServiceView) -> SafeString:
    """The state of a service in its colour."""
    meaning, tone = STATES[view.state]
    words = "not configured" if view.state == "off" else view.state
    return _badge(words, meaning, tone)


@register.simple_tag
def rule_badge(view: RuleView) -> SafeString:
    """The condition of a rule in its colour."""
    words, meaning, tone = CONDITIONS[view.condition]
    if view.is_coming_back:
        words, meaning, tone = (
            "coming back",
            "its alert ends when it has come far enough",
            "retrying",
        )
    elif view.condition == "over" and view.rule.is_low_bad:
        words = "under"
    return _badge(words, meaning, tone)


@register.simple_tag
def outage_badge(outage: ServiceOutage) -> SafeString:
    """What kind of outage it was."""
    return _badge(outage.get_kind_display(), "", OUTAGES[outage.kind])


def _badge(name: str, meaning: str, tone: str) -> SafeString:
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, name)


@register.filter
def percent(share: float | None) -> str:
    """An uptime: never "100 %" while something was down."""
    if share is None:
        return "—"
    if share == 100:
        return "100 %"
    return f"{min(share, 99.99):.2f} %"


@register.filter
def lasted(outage: ServiceOutage) -> str:
    """How long an outage took, or takes already."""
    return durations.words((outage.ended_at or clock.now()) - outage.began_at)


@register.filter
def milliseconds(value: float | None) -> str:
    """A latency as people read it."""
    if value is None:
        return "—"
    if value < 10:
        return f"{value:.1f} ms"
    return f"{value:,.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


@register.filter
def slowest(rows: Sequence[Quickness]) -> str:
    """The slowest look of a chart."""
    return milliseconds(max((row.most_ms for row in rows), default=None))


_FACTS = {
    "version": "Version",
    "bot": "Bot",
    "app": "App",
    "connections": "Connections",
    "size_bytes": "Size",
    "memory_bytes": "Memory",
    "evicted": "Evicted keys",
    "clients": "Clients",
    "policy": "When full",
    "answered": "Addresses that answer",
}


@register.filter
def facts(view: ServiceView) -> list[tuple[str, str]]:
    """What a service said of itself, as names and values for people."""
    given = view.row.facts if view.row else {}
    return [(_FACTS[name], _fact(name, given)) for name in _FACTS if name in given]


def _fact(name: str, given: dict[str, Any]) -> str:
    value = given[name]
    if name == "connections":
        return f"{value} of {given.get('connections_most', '?')}"
    if name == "answered":
        return f"{value} of {given.get('asked', '?')}"
    if name == "memory_bytes":
        most = given.get("memory_most_bytes")
        return f"{_size(value)} of {_size(most)}" if most else f"{_size(value)}, no limit"
    return _size(value) if name == "size_bytes" else str(value)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GB"


@register.simple_tag
def uptime_strip(uptime: Uptime) -> SafeString:
    """A window as a row of columns, the oldest first, each in the colour of what was seen."""
    count = len(uptime.pieces)
    columns = format_html_join(
        "",
        '<rect class="{}" x="{}" width="{}" height="{}"><title>{}</title></rect>',
        (
            (f"is-{piece.tone}", number * 10, 8, STRIP_HEIGHT, _piece_said(piece))
            for number, piece in enumerate(uptime.pieces)
        ),
    )
    said = f"Uptime in {uptime.window.title}: {percent(uptime.share)}"
    return format_html(
        '<svg class="uptime" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        count * 10 - 2,
        STRIP_HEIGHT,
        said,
        columns,
    )


def _piece_said(piece: Piece) -> str:
    span = f"{piece.begins_at:%d %b %H:%M} to {piece.ends_at:%d %b %H:%M} UTC"
    if not piece.seen:
        return f"{span}: nobody looked"
    if not piece.down:
        return f"{span}: up"
    return f"{span}: {percent(piece.share)}, down for {durations.words(piece.down)}"


@register.simple_tag
def latency_chart(rows: Sequence[Quickness], span: str = "24h") -> SafeString:
    """Half of the looks and the slowest, over time; a red foot where looks failed."""
    if not rows:
        return mark_safe("")
    width, height = LATENCY
    length = timedelta(days=7) if span == "7d" else timedelta(hours=24)
    end = clock.now()
    # A single look that was slow must not flatten all others: its peak is cut, and told in words.
    highest = max(row.most_ms for row in rows)
    begin, top = end - length, min(highest, _CUT * max(row.p50_ms for row in rows)) or 1.0

    def x(row: Quickness) -> float:
        return max(0.0, (row.begins_at - begin) / length * width)

    def y(value: float) -> float:
        return height - 6 - min(value / top, 1.0) * (height - 14)

    lines = format_html_join(
        "",
        '<polyline class="{}" points="{}" vector-effect="non-scaling-stroke"/>',
        (
            (name, " ".join(f"{x(row):.1f},{y(getattr(row, field)):.1f}" for row in rows))
            for name, field in (("most", "most_ms"), ("half", "p50_ms"))
        ),
    )
    step = width / (168 if span == "7d" else 96)
    feet = format_html_join(
        "",
        '<rect class="failed" x="{}" y="{}" width="{}" height="5"><title>{}</title></rect>',
        (
            (f"{x(row):.1f}", height - 5, f"{step:.1f}", _failed_said(row))
            for row in rows
            if row.failed
        ),
    )
    return format_html(
        '<svg class="latency" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="Latency: at most {}">{}{}</svg>',
        width,
        height,
        milliseconds(highest),
        lines,
        feet,
    )


def _failed_said(row: Quickness) -> str:
    return f"{row.begins_at:%d %b %H:%M} UTC: {row.failed} of {row.looks} looks failed"


@register.simple_tag
def trend(view: RuleView) -> SafeString:
    """The worst values of 24 hours as a line, with the threshold across."""
    if len(view.trend) < 2:
        return format_html('<span class="soft">{}</span>', "no values yet")
    width, height = TREND
    top = max([value for _, value in view.trend] + [view.threshold]) or 1.0

    def y(value: float) -> float:
        return height - 2 - value / top * (height - 4)

    points = " ".join(
        f"{number / PIECES * width:.1f},{y(value):.1f}" for number, value in view.trend
    )
    worst = min if view.rule.is_low_bad else max
    said = f"24 hours: worst {say(worst(value for _, value in view.trend), view.rule.unit)}"
    line = y(view.threshold)
    return format_html(
        '<svg class="trend" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><title>{}</title><line x1="0" x2="{}" y1="{}" y2="{}" '
        'vector-effect="non-scaling-stroke"/><polyline points="{}" '
        'vector-effect="non-scaling-stroke"/></svg>',
        width, height, said, said, width, f"{line:.1f}", f"{line:.1f}", points,
    )  # fmt: skip


@register.simple_tag
def meter(view: RuleView) -> SafeString:
    """The value of now beside its threshold."""
    tone = "retrying" if view.is_coming_back else CONDITIONS[view.condition][2]
    said = f"{view.value_said or 'no value'}; an alert comes {view.threshold_said}"
    return format_html(
        '<span class="meter is-{}" role="img" aria-label="{}" title="{}">'
        '<span class="fill" style="width:{}%"></span><span class="mark" style="left:{}%"></span></span>',
        tone,
        said,
        said,
        f"{view.fill:.1f}",
        f"{view.mark:.1f}",
    )


@register.filter
def part_value(part: dict[str, Any], view: RuleView) -> str:
    """The value of a part with the unit of its rule."""
    return say(float(part["value"]), view.rule.unit)


@register.filter
def field_value(view: RuleView, name: str) -> str:
    """What stands in a field of the form of a rule: what a person has set; empty: the setting."""
    row = view.row
    if row is None:
        return ""
    if name == "cooldown":
        return "" if row.cooldown is None else f"{row.cooldown.total_seconds():g}"
    return "" if row.threshold is None else f"{row.threshold:g}"


@register.simple_tag
def default_said(view: RuleView) -> str:
    """The threshold of the settings, with its unit."""
    return say(view.rule.default, view.rule.unit)


@register.simple_tag
def runbook_url(anchor: str) -> str:
    """The page that says what to do."""
    return reverse("admin:runbook_section", args=[anchor])
