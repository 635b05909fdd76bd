"""How the console shows servers. `{% load nodes_console %}`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from lib import clock
from lib.durations import words
from monitoring.alerts.models import Alert
from monitoring.nodes.charts import Curve, Plot, plot_hours, plot_raw
from monitoring.nodes.countries import country_name
from monitoring.nodes.models import Health, Node, NodeConfigChange
from monitoring.nodes.screens.listing import Span
from monitoring.nodes.selectors import HourLine, Incident, NodeNow, RawLine
from monitoring.nodes.words import FIELDS, HEALTHS

register = template.Library()

# State: the class of static/jobs/console.css that has its colour, the sign that says it without colour.
TONES = {
    Health.ONLINE: ("completed", "check"),
    Health.OFFLINE: ("dead", "close"),
    Health.WARNING: ("retrying", "sync"),
    Health.MAINTENANCE: ("cancelled", "build"),
}
SPARK = (100, 26)
STRIP_H = 20
_LEAST_WIDTH = 0.8  # percent of a strip


@register.simple_tag
def health_badge(row: Node) -> SafeString:
    """The state of a server in its colour; one that is gone, flaps, or is about to change says so."""
    if row.removed_at is not None:
        return _badge("cancelled", "no longer listed", "the panel does not list it any more")
    if row.flapping_since is not None:
        return _badge("retrying", "comes and goes", "it was lost several times in a short while")
    text, meaning = HEALTHS[Health(row.health)]
    return _badge(TONES[Health(row.health)][0], text, meaning)


@register.simple_tag
def health_word(health: str) -> SafeString:
    """A state in its colour."""
    text, meaning = HEALTHS[Health(health)]
    return _badge(TONES[Health(health)][0], text, meaning)


def _badge(tone: str, text: str, meaning: str) -> SafeString:
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, text)


@register.filter
def tone(health: str) -> str:
    """The class with the colour of a state."""
    return TONES[Health(health)][0]


@register.filter
def sign(health: str) -> str:
    """The icon of a state: it is told apart without colours, too."""
    return TONES[Health(health)][1]


@register.filter
def health_text(health: str) -> str:
    """The word of a state."""
    return HEALTHS[Health(health)][0]


@register.filter
def country(code: str) -> str:
    """The name of a country."""
    return country_name(code)


@register.filter
def bits(rate: float | None) -> str:
    """Bytes per second as people compare lines: "12.4 Mbit/s"."""
    if rate is None:
        return ""
    value = rate * 8
    for unit in ("bit/s", "kbit/s", "Mbit/s", "Gbit/s"):
        if value < 1000 or unit == "Gbit/s":
            return (
                f"{value:.0f} {unit}" if value >= 100 or unit == "bit/s" else f"{value:.1f} {unit}"
            )
        value /= 1000
    return ""


@register.filter
def size(value: float | None) -> str:
    """Bytes: "3.1 GiB"."""
    if value is None:
        return ""
    number = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if number < 1024 or unit == "TiB":
            return (
                f"{number:.0f} {unit}" if number >= 100 or unit == "B" else f"{number:.1f} {unit}"
            )
        number /= 1024
    return ""


@register.filter
def percent(share: float | None) -> str:
    """A share of time: "99.95 %"; nothing known: a dash. Only what is whole is shown as 100 %."""
    if share is None:
        return "–"
    value = share * 100
    if value >= 100:
        return "100 %"
    return f"{min(value, 99.99):.2f} %" if value >= 99 else f"{value:.1f} %"


@register.filter
def uptime_tone(share: float | None) -> str:
    """A class: good, soso or bad; nothing known: none."""
    if share is None:
        return "soft"
    return "good" if share >= 0.999 else "soso" if share >= 0.98 else "bad"


@register.filter
def against(value: float, usual: float | None) -> str:
    """How a number stands to the usual one: "−35 %"; empty if nothing is usual."""
    if not usual:
        return ""
    change = round((value / usual - 1) * 100)
    return f"{'+' if change > 0 else '−' if change < 0 else '±'}{abs(change)} %"


@register.filter
def is_low(value: float, usual: float | None) -> bool:
    """Whether a number is far below the usual one."""
    return bool(usual) and value < (usual or 0) * 0.5


@register.filter
def share_of(value: float | None, whole: float | None) -> float | None:
    """Percent up to 100; None where one of them is not known."""
    return None if value is None or not whole else min(100.0, value / whole * 100)


@register.filter
def field_name(name: str) -> str:
    """What people call a field of the settings."""
    return FIELDS.get(name, name)


@register.simple_tag
def setting(name: str, value: Any) -> str:
    """A field of the settings in words."""
    if name == "traffic_limit_bytes":
        return size(value) if value else "none"
    if name == "country":
        return country_name(str(value))
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_listed(each) for each in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _listed(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    rest = [str(value[name]) for name in ("type", "network", "security", "port") if value.get(name)]
    return f"{value.get('tag')} ({', '.join(rest)})" if rest else str(value.get("tag"))


@register.filter
def changed_fields(change: NodeConfigChange) -> str:
    """The names of what was changed."""
    return ", ".join(field_name(each["field"]).lower() for each in change.changes)


@register.filter
def alert_span(alert: Alert) -> str:
    """How long an alert was or is open."""
    return words((alert.resolved_at or clock.now()) - alert.opened_at)


@register.filter
def lasted(incident: Incident) -> str:
    """How long an incident took so far."""
    return words(incident.lasted)


@register.simple_tag
def strip(spans: Sequence[Span], label: str) -> SafeString:
    """States over a time as a strip; what nobody knows stays empty. Each part says itself."""
    parts = format_html_join(
        "",
        '<rect class="is-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        (
            (
                span.health,
                *_span_place(span),
                _span_say(span),
            )
            for span in sorted(spans, key=lambda each: each.health != Health.ONLINE)
        ),
    )
    return format_html(
        '<svg class="state-strip" viewBox="0 0 100 {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}: {}">{}</svg>',
        STRIP_H,
        label,
        _spans_say(spans),
        parts,
    )


def _span_place(span: Span) -> tuple[str, float, str, float]:
    """x, y, width, height. What is not well is taller, and wide enough to be seen."""
    if span.health == Health.ONLINE:
        return f"{span.left:.3f}", STRIP_H * 0.15, f"{span.width:.3f}", STRIP_H * 0.7
    width = max(span.width, _LEAST_WIDTH)
    return f"{min(span.left, 100 - width):.3f}", 0, f"{width:.3f}", STRIP_H


def _span_say(span: Span) -> str:
    until = "now" if span.ended_at is None else _utc(span.ended_at)
    took = words((span.ended_at or clock.now()) - span.began_at)
    return f"{HEALTHS[span.health][0]}, {_utc(span.began_at)} to {until} ({took})"


def _spans_say(spans: Sequence[Span]) -> str:
    bad = [span for span in spans if span.health in (Health.OFFLINE, Health.WARNING)]
    if not spans:
        return "nothing is known"
    return f"{len(bad)} times not serving" if bad else "always well"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


@register.simple_tag
def spark(values: Sequence[float | None], label: str) -> SafeString:
    """A small curve without axes; gaps stay gaps."""
    known = [value for value in values if value is not None]
    if not known:
        return mark_safe("")
    top = max(known) or 1.0
    width, height = SPARK
    step = width / max(len(values) - 1, 1)
    curve = Curve("rate", [value if value is None else value / top for value in values])
    lines = format_html_join(
        "", '<polyline points="{}"/>', ((run,) for run in curve.runs(step, height, 2))
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}: at most {}"><title>{}: at most {}</title>{}</svg>',
        width, height, label, bits(top), label, bits(top), lines,
    )  # fmt: skip


@register.simple_tag
def raw_chart(rows: Sequence[RawLine], until: datetime, what: str) -> SafeString:
    """48 hours of slots: traffic or people."""
    return _chart(plot_raw(rows, until - timedelta(hours=48), until, what), what)


@register.simple_tag
def hours_chart(rows: Sequence[HourLine], until: datetime, what: str) -> SafeString:
    """30 days of hours: traffic with its highest and lowest, or people."""
    return _chart(plot_hours(rows, until - timedelta(days=30), until, what), what)


def _chart(plot: Plot, what: str) -> SafeString:
    if plot.is_empty:
        return mark_safe("")
    says = bits if what == "rate" else _people
    curves = format_html_join("", "{}", ((_curve(plot, curve),) for curve in plot.curves))
    columns = format_html_join(
        "",
        '<rect class="hover" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>',
        (
            (f"{x:.2f}", f"{plot.step:.2f}", plot.height, f"{_utc(at)}: {says(value)}")
            for x, at, value in plot.points
        ),
    )
    days = format_html_join(
        "", '<line class="grid" x1="{0}" x2="{0}" y1="0" y2="{1}"/>',
        ((f"{x:.2f}", plot.height) for x in plot.days),
    )  # fmt: skip
    return format_html(
        '<figure class="plot-box"><div class="plot"><svg viewBox="0 0 {} {}" preserveAspectRatio="none" '
        'role="img" aria-label="at most {}">{}{}{}</svg><span class="peak">{}</span></div>'
        '<div class="axis"><span>{}</span><span>{}</span></div></figure>',
        plot.width, plot.height, says(plot.top), days, curves, columns, says(plot.top),
        _utc(plot.since), _utc(plot.until),
    )  # fmt: skip


def _people(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} online"


def _curve(plot: Plot, curve: Curve) -> SafeString:
    if curve.low is not None:
        return format_html_join(
            "", '<polygon class="band" points="{}"/>', ((each,) for each in curve.bands(plot))
        )
    return format_html_join(
        "",
        '<polygon class="{0} under" points="{2}"/><polyline class="{0}" points="{1}" '
        'vector-effect="non-scaling-stroke"/>',
        ((curve.name, run, under) for run, under in curve.lines(plot)),
    )


@register.simple_tag
def pin_says(node: NodeNow) -> str:
    """What a pin tells who cannot see it."""
    return (
        f"{node.name}, {country_name(node.country_code)}: {HEALTHS[node.health][0]}, "
        f"{node.users_online} people"
    )
