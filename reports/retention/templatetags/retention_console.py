"""How the console shows runs of retention. `{% load retention_console %}`."""

from collections.abc import Sequence

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from reports.retention.models import RetentionRun
from reports.retention.sizes import Holds, Night

register = template.Library()
CHART = (600, 90)

# A state -> the one of static/jobs/console.css that lends its colour.
_TONES = {
    "waiting": "scheduled",
    "running": "running",
    "done": "completed",
    "failed": "dead",
    "cancelled": "cancelled",
}


@register.simple_tag
def run_badge(run: RetentionRun) -> SafeString:
    """The state of a run, in its colour."""
    return format_html('<span class="badge is-{}">{}</span>', _TONES[run.state], run.state)


@register.filter
def weight(size: int) -> str:
    """Bytes as people say them; a dash for none."""
    return filesizeformat(size) if size else "—"


@register.filter
def sums(run: RetentionRun) -> str:
    """What a run came to, in words."""
    parts = [f"{run.rows:,} row{'' if run.rows == 1 else 's'}"]
    if run.partitions:
        parts.append(f"{run.partitions} partition{'' if run.partitions == 1 else 's'}")
    if run.bytes:
        parts.append(f"about {filesizeformat(run.bytes)}")
    about = any(each["is_estimate"] for each in run.tables.values()) and run.is_dry
    return ("about " if about else "") + ", ".join(parts)


@register.filter
def amount(holds: Holds) -> str:
    """What is there, as people say it; nothing while the planner knows no rows."""
    return f"about {holds.rows:,} row{'' if holds.rows == 1 else 's'}" if holds.rows else ""


@register.simple_tag
def nights_chart(nights: Sequence[Night]) -> SafeString | str:
    """Rows that went, a column per night; empty if none did."""
    width, height = CHART
    most = max((night.rows for night in nights), default=0)
    if not most:
        return ""
    step = width / len(nights)
    columns = [
        (
            f"{night.day:%d %b %Y} UTC: {night.rows:,} rows, {filesizeformat(night.bytes)}"
            + (f", {night.partitions} partitions" if night.partitions else ""),
            f"{number * step + step * 0.15:.2f}",
            f"{height - tall:.2f}",
            f"{step * 0.7:.2f}",
            f"{tall:.2f}",
        )
        for number, night in enumerate(nights)
        for tall in [max(2.0, night.rows / most * (height - 4)) if night.rows else 0.0]
    ]
    bars = format_html_join(
        "",
        '<g><title>{}</title><rect x="{}" y="{}" width="{}" height="{}"/></g>',
        columns,
    )
    return format_html(
        '<div class="plot went"><span class="peak">{} rows at most</span>'
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{} rows in {} days">{}</svg></div>',
        f"{most:,}",
        width,
        height,
        f"{sum(night.rows for night in nights):,}",
        len(nights),
        bars,
    )
