"""How the console shows alerts. `{% load alerts_console %}`."""

from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib import clock, durations
from monitoring.alerts.models import Alert, AlertEvent, EventKind, Silence
from monitoring.alerts.words import STATES, event_say, state_of

register = template.Library()

# The class of static/jobs/console.css that has the colour.
SEVERITIES = {"critical": "dead", "warning": "retrying", "info": "available"}
TONES = {
    "open": "dead",
    "acknowledged": "running-still",
    "silenced": "cancelled",
    "hidden": "cancelled",
    "resolved": "completed",
}
LINES = {
    EventKind.OPENED: "dead",
    EventKind.WORSE: "dead",
    EventKind.AGAIN: "retrying",
    EventKind.ESCALATED: "retrying",
    EventKind.REMINDED: "retrying",
    EventKind.TOLD: "available",
    EventKind.ACKED: "completed",
    EventKind.RESOLVED: "completed",
}


def _badge(word: str, tone: str, meaning: str = "") -> SafeString:
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, word)


@register.simple_tag
def severity_badge(severity: str) -> SafeString:
    """The severity in its colour."""
    return _badge(severity, SEVERITIES.get(severity, "available"))


@register.simple_tag
def alert_badge(alert: Alert) -> SafeString:
    """How an alert is, in its colour. Its parent must have been read along."""
    state = state_of(alert)
    return _badge(state, TONES[state], STATES[state])


@register.simple_tag
def alert_why(alert: Alert) -> SafeString | str:
    """Who has it, until when it is silent, or what explains it. Its parent must have been read along."""
    state = state_of(alert)
    if state == "hidden" and alert.parent is not None:
        return _why(f"by {alert.parent.title}", "explained by another alert that is open")
    if state == "silenced" and alert.silenced_until is not None:
        until = alert.silenced_until
        return _why(f"until {until:%b} {until.day}, {until:%H:%M} UTC", "nobody is told until then")
    if alert.is_open and alert.acked_at is not None:
        return _why(f"by {alert.acked_by or 'somebody'}", "acknowledged")
    return ""


def _why(words: str, meaning: str) -> SafeString:
    return format_html(
        '<span class="sub alert-why" title="{}: {}">{}</span>', meaning, words, words
    )


@register.simple_tag
def silence_badge(silence: Silence) -> SafeString:
    """How a silence is."""
    now = clock.now()
    if silence.ended_at is not None:
        return _badge("taken back", "cancelled")
    if silence.ends_at <= now:
        return _badge("over", "cancelled")
    return (
        _badge("coming", "scheduled") if silence.starts_at > now else _badge("in force", "paused")
    )


@register.filter
def is_over(silence: Silence) -> bool:
    """Whether a silence has ended, by itself or by a person."""
    return silence.ended_at is not None or silence.ends_at <= clock.now()


@register.filter
def line_say(event: AlertEvent) -> str:
    """A line of the story."""
    return event_say(event)


@register.filter
def line_tone(event: AlertEvent) -> str:
    """Its colour."""
    return LINES.get(EventKind(event.kind), "scheduled")


@register.filter
def lasted(alert: Alert) -> str:
    """How long it was, or is, open."""
    end: datetime = alert.resolved_at or clock.now()
    return durations.words(max(end - alert.opened_at, timedelta(0)))
