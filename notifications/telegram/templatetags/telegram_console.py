"""How the console shows messages of the Telegram queue. `{% load telegram_console %}`."""

import html
import re
from datetime import datetime

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.templatetags.console import moment
from lib import clock
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import REASONS, message_explain

register = template.Library()

# State: what it means, and the class of static/jobs/console.css that has its colour.
CONDITIONS = {
    "due": ("goes out next", "available"),
    "scheduled": ("waits for its time", "scheduled"),
    "waiting": ("waits for its chat or for the bot", "scheduled"),
    "retrying": ("failed before, will be tried again", "retrying"),
    "being sent": ("on its way to Telegram just now", "running"),
    "sent": ("Telegram has taken it", "completed"),
    "failed": ("given up, waits for a person", "dead"),
    "cancelled": ("is never sent", "cancelled"),
}
OUTCOMES = {
    "sent": "completed", "retry": "retried", "wait": "snoozed", "failed": "dead",
    "cancelled": "cancelled", "unknown": "crashed",
}  # fmt: skip
_TAG = re.compile(r"<[^<>]*>?")


def condition(row: QueuedMessage) -> str:
    """The state of a message as people see it: one of CONDITIONS."""
    if row.status != QueuedMessage.Status.PENDING:
        return str(row.status)
    if row.claimed_at:
        return "being sent"
    now = clock.now()
    if row.attempts:
        return "retrying"
    if row.scheduled_at > now:
        return "scheduled"
    return "due" if (row.next_attempt_at or row.scheduled_at) <= now else "waiting"


@register.simple_tag
def message_badge(row: QueuedMessage) -> SafeString:
    """The state of a message in its colour."""
    name = condition(row)
    meaning, tone = CONDITIONS[name]
    doubled = (
        ' <span class="tag" title="Its sender ended without a word: it may have arrived twice">twice?</span>'
        if row.maybe_doubled
        else ""
    )
    return format_html(
        '<span class="badge is-{}" title="{}">{}</span>{}', tone, meaning, name, SafeString(doubled)
    )


@register.filter
def outcome_tone(outcome: str) -> str:
    """The class that has the colour of the outcome of a try."""
    return OUTCOMES.get(outcome, "cancelled")


@register.simple_tag
def message_when(row: QueuedMessage) -> SafeString:
    """The moment that matters in the state of a message."""
    at: datetime | None
    if row.status == QueuedMessage.Status.PENDING:
        at = row.next_attempt_at or row.scheduled_at
        if row.claimed_at:
            return format_html("since {}", moment(row.claimed_at))
        return format_html("due {}" if at <= clock.now() else "{}", moment(at))
    at = row.sent_at or row.failed_at
    if at is not None:
        return format_html("{}", moment(at))
    return format_html("made {}", moment(row.created_at))


@register.filter
def message_why(row: QueuedMessage) -> str:
    """What is worth saying in a line of a list, beside the badge; the page says the rest."""
    if row.status == QueuedMessage.Status.FAILED:
        return REASONS.get(row.reason or "", row.error_message or "")
    if row.status == QueuedMessage.Status.CANCELLED:
        return message_explain(row)
    return row.error_message or ""


@register.filter
def glance(text: str) -> str:
    """The beginning of a text on one line, without its markup."""
    return " ".join(html.unescape(_TAG.sub("", text)).split())


@register.simple_tag
def message_link(message_id: int | None, text: str = "") -> SafeString | str:
    """A link to the page of a message."""
    if not message_id:
        return ""
    address = reverse("admin:telegram_queuedmessage_change", args=[message_id])
    return format_html('<a class="id" href="{}">{}</a>', address, text or f"#{message_id}")


@register.simple_tag
def chat_link(chat_id: int) -> SafeString:
    """A link to the page of a chat."""
    address = reverse("admin:telegram_chat_change", args=[chat_id])
    return format_html('<a class="mono" href="{}">{}</a>', address, chat_id)
