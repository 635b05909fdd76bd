"""How the console shows exports. `{% load exports_console %}`."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from reports.exports.models import Export
from reports.exports.sources import SOURCES

register = template.Library()

# State -> the class of static/jobs/console.css that has its colour, and what it means.
STATES = {
    "waiting": ("available", "waits for a worker"),
    "running": ("running", "rows are being read"),
    "done": ("completed", "the file can be downloaded"),
    "failed": ("dead", "no file came of it"),
    "cancelled": ("cancelled", "a person cancelled it"),
    "expired": ("scheduled", "its time was over, the file is gone"),
    "deleted": ("scheduled", "a person deleted the file"),
}


@register.simple_tag
def export_badge(row: Export) -> SafeString:
    """The state of an export in its colour."""
    tone, meaning = STATES.get(row.state, ("scheduled", ""))
    return format_html(
        '<span class="badge is-{}" title="{}">{}</span>', tone, meaning, row.get_state_display()
    )


@register.filter
def type_title(name: str) -> str:
    """A type as people call it; one that a later version wrote is shown as it is."""
    return SOURCES[name].title if name in SOURCES else name


@register.filter
def filters_words(row: Export) -> str:
    """What an export was narrowed to; nothing if to nothing."""
    return SOURCES[row.type].filters_describe(row.filters) if row.type in SOURCES else ""


@register.filter
def utc(moment: datetime | None) -> str:
    """A moment of a range; a day if it is its beginning."""
    if moment is None:
        return ""
    is_day = not (moment.hour or moment.minute or moment.second)
    return f"{moment:%Y-%m-%d}" if is_day else f"{moment:%Y-%m-%d %H:%M} UTC"


def _of_payments(where: dict[str, Any]) -> dict[str, Any]:
    words = {
        name: [where[field]]
        for name, field in (
            ("state", "state"), ("provider", "provider"), ("plan", "plan_code"),
            ("purpose", "purpose"), ("found_by", "found_by"),
        )
        if where[field]
    }  # fmt: skip
    for name, field in (("currency", "currency"), ("asset", "asset")):
        if where[field]:
            words[name] = [where[field].upper()]
    more = {
        name: where[name] for name in ("subscriber_id", "telegram_id") if where[name] is not None
    }
    range_of = {"since": where["created_from"], "until": where["created_to"]}
    return {"filters": {**words, **more}, **range_of}


def _of_audit(where: dict[str, Any]) -> dict[str, Any]:
    names = ("who", "action", "object_type", "object_id")
    filters = {name: where[name] for name in names if where[name]}
    return {"filters": filters, "since": where["since"], "until": where["until"]}


def _of_users(where: dict[str, Any]) -> dict[str, Any]:
    return {"filters": {name: value for name, value in where.items() if value not in (None, "")}}


# What the filter of a list says, as an order has it.
_FROM: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "users": _of_users,
    "payments": _of_payments,
    "audit": _of_audit,
}


@register.simple_tag(takes_context=True)
def export_matching(context: Any, name: str, form: Any) -> SafeString | str:
    """A button of a list: order an export of what its filter matches. For those who may.

    form: the list's own, with `where()` as a mapping or a dataclass.
    """
    user = context["request"].user
    source = SOURCES[name]
    if not (user.has_perm("exports.add_export") and user.has_perm(source.permission)):
        return ""
    if not form.is_valid():
        return ""
    where = form.where()
    found = _FROM[name](where if isinstance(where, dict) else asdict(where))
    query = {"type": name}
    if found["filters"]:
        query["filters"] = json.dumps(found["filters"], default=_plain)
    for end in ("since", "until"):
        if found.get(end):
            query[end] = f"{found[end]:%Y-%m-%d %H:%M:%S}"
    try:
        address = reverse("admin:exports_export_order")
    except NoReverseMatch:
        return ""
    return format_html(
        '<a class="button" href="{}?{}"><span class="material-symbols-outlined" aria-hidden="true">'
        "download</span>Export what matches</a>",
        address,
        urlencode(query),
    )


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
