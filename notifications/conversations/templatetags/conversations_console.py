"""How the console shows dialogs and what became of notifications. `{% load conversations_console %}`."""

from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from notifications.conversations.models import Dialog, Notice
from notifications.conversations.words import outcome_words

register = template.Library()


@register.simple_tag
def outcome_badge(name: str) -> SafeString:
    """What became of a notification, in its colour."""
    word, meaning, tone = outcome_words(name)
    return format_html('<span class="badge is-{}" title="{}">{}</span>', tone, meaning, word)


@register.simple_tag
def notice_badge(row: Notice) -> SafeString:
    """The same, of a notice."""
    return outcome_badge(row.reason or row.fate)


@register.filter
def meaning(name: str) -> str:
    """What an outcome means, in a sentence without its end."""
    return outcome_words(name)[1]


@register.simple_tag
def dialog_link(dialog: Dialog | None, dialog_id: UUID | None = None) -> SafeString | str:
    """A link to the page of a dialog: its title, or else the end of its id."""
    pk = dialog.pk if dialog else dialog_id
    if pk is None:
        return ""
    title = dialog.title if dialog and dialog.title else f"…{str(pk)[-8:]}"
    address = reverse("admin:conversations_dialog_change", args=[pk])
    return format_html('<a class="kind" href="{}" title="{}">{}</a>', address, pk, title)


@register.simple_tag
def user_link(user_id: str) -> SafeString:
    """A person, with a link to the dialogs of that person."""
    address = reverse("admin:conversations_dialog_changelist")
    query = urlencode({"user_id": user_id})
    return format_html('<a class="mono" href="{}?{}">{}</a>', address, query, user_id)


@register.simple_tag
def event_link(event_id: UUID | None) -> SafeString | str:
    """An event of the webhooks, with a link to its deliveries."""
    if event_id is None:
        return ""
    address = reverse("admin:webhooks_delivery_changelist")
    query = urlencode({"event": str(event_id)})
    short = f"…{str(event_id)[-8:]}"
    return format_html(
        '<a class="id" href="{}?{}" title="{}">{}</a>', address, query, event_id, short
    )


@register.filter
def states(counts: dict[str, int]) -> str:
    """How many endpoints were told: "1 delivered, 2 pending"."""
    return ", ".join(f"{counts[name]} {name}" for name in sorted(counts))


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """What a mapping holds under a key; None if nothing."""
    return mapping.get(key)
