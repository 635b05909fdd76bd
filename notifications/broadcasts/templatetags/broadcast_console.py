"""How the console shows broadcasts and what became of their recipients. `{% load broadcast_console %}`."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.templatetags.console import moment
from notifications.broadcasts.models import Broadcast, Phase, Status
from notifications.broadcasts.reasons import reason_text
from notifications.broadcasts.selectors import LedgerEntry

register = template.Library()

# Status: what it means, and the class of static/jobs/console.css with its colour.
CONDITIONS = {
    "draft": ("nothing is sent until somebody says so", "snoozed"),
    "scheduled": ("starts when its time comes", "scheduled"),
    "sending": ("it goes out just now", "running"),
    "paused": ("waits for somebody to resume it", "paused"),
    "sent": ("everybody has their fate", "completed"),
    "cancelled": ("never goes any further", "cancelled"),
    "failed": ("nobody got it", "dead"),
}
# Fate: what people call it, what it means, its colour.
FATES = {
    "pending": ("pending", "the turn has not come", "scheduled"),
    "sending": ("on its way", "the request is under way", "running"),
    "sent": ("sent", "it was taken", "completed"),
    "failed": ("failed", "refused for good, or tried too often", "dead"),
    "skipped": ("skipped", "was not to be told", "cancelled"),
    "unknown": ("unknown", "it may have arrived", "paused"),
}
ACTS = {
    "broadcasts.create": "wrote it",
    "broadcasts.edit": "edited it",
    "broadcasts.clone": "made this copy",
    "broadcasts.schedule": "changed when it starts",
    "broadcasts.send_now": "sent it",
    "broadcasts.test_send": "sent a test",
    "broadcasts.pause": "paused it",
    "broadcasts.resume": "resumed it",
    "broadcasts.cancel": "cancelled it",
    "broadcasts.resend": "resent it",
    "broadcasts.recall_delete": "took it back",
    "broadcasts.recall_edit": "corrected its text where it was delivered",
}
RECALLS = {
    "done": "taken back",
    "kept": "stays: it was read",
    "too_old": "stays: older than 48 h",
    "refused": "stays: Telegram refused",
}
CHANNELS = {"inbox": ("Inbox", "inbox"), "telegram": ("Telegram", "send")}


@register.simple_tag
def broadcast_badge(row: Broadcast) -> SafeString:
    """The status of a broadcast in its colour, with what is being done."""
    meaning, tone = CONDITIONS.get(row.status, ("", "cancelled"))
    words = str(row.status)
    if row.status == Status.SENDING and row.phase:
        words = str(Phase(row.phase).label)
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, words)


@register.simple_tag
def fate_badge(fate: str) -> SafeString:
    """What became of a recipient, in its colour."""
    words, meaning, tone = FATES.get(fate, (fate, "", "cancelled"))
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, words)


@register.simple_tag
def channel_tags(names: list[str]) -> SafeString:
    """The channels of a broadcast."""
    words = ((CHANNELS.get(name, (name,))[0],) for name in names)
    return format_html_join(" ", '<span class="tag">{}</span>', words)


@register.filter
def channel_word(name: str) -> str:
    """What people call a channel."""
    return CHANNELS.get(name, (name,))[0]


@register.simple_tag
def broadcast_when(row: Broadcast) -> SafeString | str:
    """The moment that matters in the status of a broadcast."""
    if row.status == Status.SCHEDULED:
        return format_html("starts {}", moment(row.scheduled_at))
    if row.finished_at:
        return format_html("{}", moment(row.finished_at))
    if row.started_at:
        return format_html("since {}", moment(row.started_at))
    return format_html("written {}", moment(row.created_at))


@register.simple_tag
def person_of(entry: LedgerEntry) -> SafeString:
    """The person of a line of the ledger, with a link to their page."""
    if entry.user_id is None:
        return format_html('<span class="soft">deleted</span>')
    address = reverse("admin:inbox_recipient_change", args=[entry.recipient_id])
    return format_html(
        '<a class="person" href="{}"><b>{}</b> <span class="mono">{}</span></a>',
        address,
        entry.login or "(no login)",
        entry.user_id,
    )


@register.simple_tag
def what_to_do(entry: LedgerEntry) -> str:
    """What an operator can do about somebody who did not get it."""
    if entry.fate == "unknown":
        return "Ask them, or resend it if twice is better than not at all."
    return ADVICE.get(entry.reason, "")


ADVICE = {
    "muted": "Nothing: it is their wish.",
    "no_telegram": "Enter the Telegram id on the person's page, then resend.",
    "duplicate_chat": "Nothing: they have it.",
    "blocked": "They must unblock the bot first; then resend.",
    "deactivated": "Ask for a new Telegram id.",
    "not_started": "They must press Start in the bot; then resend.",
    "not_found": "Check the Telegram id on the person's page; then resend.",
    "kicked": "Put the bot into the group again; then resend.",
    "to_bot": "Correct the Telegram id on the person's page; then resend.",
    "refused": "Look at the detail; correct the text in a clone.",
    "unavailable": "Resend when Telegram answers again.",
    "internal": "Resend; if it comes again, tell the developers.",
    "cancelled": "Clone the broadcast if they should get it after all.",
}


@register.simple_tag
def moment_in(value: datetime | None, time_zone: str) -> str:
    """A moment on the clock of a zone, with its name: "2026-11-23 12:00 Europe/Berlin"."""
    if value is None:
        return ""
    try:
        there = value.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return f"{there:%Y-%m-%d %H:%M} {time_zone}"


@register.filter
def part_of(part: int, whole: int) -> float:
    """A part in percent of the whole, from 0 to 100, for the width of a bar."""
    return round(max(0.0, min(100.0, 100 * part / whole)), 2) if whole else 0.0


@register.filter
def minus(whole: int, part: int) -> int:
    """What is left of the whole."""
    return whole - part


@register.filter
def reason_words(reason: str) -> str:
    """Why somebody is skipped, in a sentence."""
    return reason_text(reason)


@register.filter
def act_word(action: str) -> str:
    """What somebody did to the broadcast, in the past tense."""
    return ACTS.get(action, action)


@register.filter
def recall_word(recall: str) -> str:
    """What became of taking a message back."""
    return RECALLS.get(recall, recall)


@register.filter
def under(mapping: dict[Any, Any], key: Any) -> Any:
    """What a mapping holds under a key; nothing if it holds nothing."""
    return mapping.get(key, "")


@register.simple_tag
def broadcast_link(broadcast_id: UUID | str | None, text: str = "") -> SafeString | str:
    """A link to the page of a broadcast; without a text its short id."""
    if not broadcast_id:
        return ""
    address = reverse("admin:broadcasts_broadcast_change", args=[broadcast_id])
    return format_html('<a href="{}">{}</a>', address, text or f"…{str(broadcast_id)[-8:]}")
