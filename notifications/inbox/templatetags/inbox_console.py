"""How the console shows notifications, people and pods. `{% load inbox_console %}`."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.templatetags.console import change, moment, span
from lib import clock
from notifications.inbox.models import Notification, Recipient

register = template.Library()

# State: what people call it, what it means, and the class of static/jobs/console.css with its colour.
CONDITIONS = {
    "deferred": ("deferred", "waits for the end of quiet hours", "scheduled"),
    "unread": ("unread", "in the inbox, not read yet", "available"),
    "read": ("read", "a device of the person said that it was read", "completed"),
    "auto_cleared": ("expired", "nobody read it in time (auto_cleared)", "cancelled"),
    "recalled": ("recalled", "taken back, off every screen", "paused"),
    "replaced": ("replaced", "a newer one with the same collapse key took its place", "cancelled"),
    "muted": ("muted", "the person wants none of its source; no screen gets it", "cancelled"),
}


@register.filter
def state_word(state: str) -> str:
    """What people call a state."""
    return CONDITIONS.get(state, (state,))[0]


@register.simple_tag
def notification_badge(row: Notification, form: str = "full") -> SafeString:
    """The state of a notification in its colour; "plain": without its edition."""
    name, meaning, tone = CONDITIONS.get(row.state, (row.state, "", "cancelled"))
    edited = (
        format_html(
            ' <span class="tag" title="Its text was changed since">edition {}</span>', row.edition
        )
        if row.edition > 1 and form == "full"
        else ""
    )
    return format_html(
        '<span class="badge is-{}" title="{}">{}</span>{}', tone, meaning, name, edited
    )


@register.simple_tag
def notification_when(row: Notification) -> SafeString:
    """The moment that matters in the state of a notification."""
    at: datetime | None = {
        "deferred": row.deliver_at,
        "read": row.read_at,
        "auto_cleared": row.cleared_at,
        "recalled": row.recalled_at,
    }.get(row.state)
    return format_html("{}", moment(at or row.accepted_at))


@register.simple_tag
def notification_why(row: Notification) -> SafeString | str:
    """What is worth saying in a line of a list, beside the badge; the page says the rest."""
    if row.state == "deferred":
        return format_html("held back, comes {}", moment(row.deliver_at))
    if row.state == "unread" and row.expires_at:
        is_over = row.expires_at <= clock.now()
        return format_html("{} {}", "expired" if is_over else "expires", moment(row.expires_at))
    if row.state == "read" and row.read_at:
        taken = row.read_at - row.accepted_at
        return format_html("read after {}", span(taken))
    return {
        "auto_cleared": "nobody read it in time",
        "muted": "the person mutes its source",
        "replaced": "a newer one took its place",
        "recalled": "taken back",
    }.get(row.state, "")


@register.simple_tag
def notification_link(notification_id: UUID | str | None, text: str = "") -> SafeString | str:
    """A link to the page of a notification; without a text its short id: the end, where ids differ."""
    if not notification_id:
        return ""
    address = reverse("admin:inbox_notification_change", args=[notification_id])
    words = text or f"…{str(notification_id)[-8:]}"
    return format_html('<a class="id" href="{}" title="{}">{}</a>', address, notification_id, words)


@register.simple_tag
def person_link(recipient: Recipient) -> SafeString:
    """A link to the page of a person, with the user id behind the login."""
    address = reverse("admin:inbox_recipient_change", args=[recipient.pk])
    return format_html(
        '<a class="person" href="{}"><b>{}</b> <span class="mono">{}</span></a>',
        address,
        recipient.login or "(no login)",
        recipient.user_id,
    )


# What happened to a notification: the word for it, and the class with its colour.
MOMENTS = {
    "accepted": ("accepted", "available"),
    "deferred": ("deferred", "scheduled"),
    "muted": ("muted", "cancelled"),
    "placed": ("put into the inbox", "available"),
    "pushed": ("pushed", "running"),
    "acked": ("read", "completed"),
    "updated": ("edited", "retrying"),
    "expired": ("expired", "cancelled"),
    "recalled": ("recalled", "paused"),
    "replaced": ("replaced", "cancelled"),
    "fallback": ("told by Telegram", "scheduled"),
}


@register.filter
def moment_word(what: str) -> str:
    """What a moment of a timeline is called."""
    return MOMENTS.get(what, (what,))[0]


@register.filter
def moment_tone(what: str) -> str:
    """The class that has the colour of a moment."""
    return MOMENTS.get(what, ("", "cancelled"))[-1]


@register.filter
def position_at(position: int) -> datetime | None:
    """When a position was taken: it is milliseconds."""
    return datetime.fromtimestamp(position / 1000, UTC) if position else None


@register.filter
def wishes(row: Recipient) -> str:
    """How a person wishes to be told, on one line."""
    parts = []
    if row.muted_sources:
        count = len(row.muted_sources)
        parts.append(f"mutes {row.muted_sources[0] if count == 1 else f'{count} sources'}")
    if row.quiet_from is not None and row.quiet_to is not None:
        parts.append(f"quiet {row.quiet_from:%H:%M} to {row.quiet_to:%H:%M} {row.time_zone}")
    if row.fallback_after_s:
        parts.append(f"Telegram after {span(row.fallback_after_s)}")
    elif row.telegram_id:
        parts.append("has Telegram")
    return "; ".join(parts)


@register.filter
def change_words(name: str, value: Any) -> str:
    """A change of the audit log in words: [old, new] as "name: old to new"."""
    unit = " s" if name.endswith("_s") else ""
    return (
        f"{name.removesuffix('_s').replace('_', ' ')}: {change(value, 'inbox.preferences')}{unit}"
    )


@register.filter
def local_now(time_zone: str) -> str:
    """What time it is there now: "08:37 (UTC+03:00)"."""
    try:
        there = clock.now().astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
    return f"{there:%H:%M} ({zone_of(there)})"


@register.simple_tag
def moment_there(value: datetime | None, time_zone: str) -> SafeString | str:
    """A moment on the clock of a person, with its zone."""
    if value is None:
        return ""
    try:
        there = value.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
    return format_html('<span class="utc">{} {}</span>', f"{there:%Y-%m-%d %H:%M}", zone_of(there))


def zone_of(value: datetime) -> str:
    """The offset of an aware moment: "UTC+03:00"."""
    offset = value.strftime("%z")
    return "UTC" if offset in {"", "+0000"} else f"UTC{offset[:3]}:{offset[3:5]}"


@register.filter
def browser(user_agent: str) -> str:
    """A user agent in a word or two; as it is if it is none of the known."""
    found = [name for sign, name in _SYSTEMS if sign in user_agent][:1]
    found[:0] = [name for sign, name in _BROWSERS if sign in user_agent][:1]
    return " on ".join(found) if found else user_agent[:60]


_BROWSERS = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"), ("Python", "Python"), ("websocket", "WebSocket client"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@register.filter
def share(part: float, whole: float) -> int:
    """A part in percent of the whole, from 0 to 100."""
    return max(0, min(100, round(100 * part / whole))) if whole else 0


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """What a mapping holds under a key; None if nothing."""
    return mapping.get(key)
