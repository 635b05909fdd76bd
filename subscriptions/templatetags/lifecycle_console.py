"""How the console shows sweeps and notices. `{% load lifecycle_console %}`."""

from datetime import datetime

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from subscriptions.lifecycle.kinds import SweepKindUnknown, sweep_kind
from subscriptions.lifecycle.reasons import item_reason, notice_reason
from subscriptions.models import Notice, Subscriber, Sweep, SweepItem

register = template.Library()

# State -> the class of static/jobs/console.css that has its colour.
SWEEPS = {
    "held": "dead",
    "running": "running",
    "done": "completed",
    "refused": "cancelled",
    "stopped": "cancelled",
    "observed": "scheduled",
}
NOTICES = {"due": "available", "queued": "completed", "skipped": "cancelled", "stale": "scheduled"}
FATES = {
    "": ("open", "available"),
    "done": ("done", "completed"),
    "skipped": ("skipped", "cancelled"),
    "unknown": ("unknown", "retrying"),
    "failed": ("failed", "dead"),
}


@register.simple_tag
def sweep_badge(row: Sweep) -> SafeString:
    """The state of a sweep in its colour."""
    return _badge(SWEEPS.get(row.state, "scheduled"), row.get_state_display(), row.held_reason)


@register.simple_tag
def notice_badge(row: Notice) -> SafeString:
    """The state of a notice in its colour."""
    return _badge(NOTICES.get(row.state, "scheduled"), row.get_state_display(), "")


@register.simple_tag
def fate_badge(row: SweepItem) -> SafeString:
    """What became of a person of a sweep, in its colour."""
    name, tone = FATES.get(row.fate, (row.fate, "scheduled"))
    return _badge(tone, name, "")


def _badge(tone: str, text: str, meaning: str) -> SafeString:
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, text)


@register.filter
def sweep_title(name: str) -> str:
    """A sweep as people call it; one that a later version wrote is shown as it is."""
    try:
        return sweep_kind(name).title
    except SweepKindUnknown:
        return name


@register.filter
def parsed(text: str) -> datetime | None:
    """A moment that is kept as text, in a sample; None for what is none."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


@register.filter
def why_not_told(row: Notice) -> str:
    """Why a notice was not told, in a sentence; empty if it was."""
    return notice_reason(row.reason) if row.reason else ""


@register.filter
def why_item(row: SweepItem) -> str:
    """Why a person of a sweep has this fate, in a sentence."""
    return item_reason(row.reason) if row.reason else ""


@register.simple_tag
def subscriber_link(row: Subscriber) -> SafeString:
    """The name of a subscriber, with a link to the page if there is one."""
    try:
        address = reverse("admin:subscriptions_subscriber_change", args=[row.pk])
    except NoReverseMatch:
        return format_html('<span class="kind">{}</span>', row.username)
    return format_html('<a class="kind" href="{}">{}</a>', address, row.username)
