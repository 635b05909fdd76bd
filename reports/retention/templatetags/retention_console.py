"""How the console shows runs of retention. `{% load retention_console %}`."""

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString

from reports.retention.models import RetentionRun

register = template.Library()

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
