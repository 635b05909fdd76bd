"""Subscribers. What opens a connection (short_uuid, subscription_url) and free texts, in which people
paste such links (description, note), are not among the columns."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from reports.exports.columns import Column, Kind
from reports.exports.sources.source import Entry, Part, Source, between
from subscriptions.filtering import PARTS, filter_query, flag_read, moment_read, number_read
from subscriptions.models import CutBy, PanelStatus, Plan, Subscriber

_REGISTERED = Coalesce("panel_created_at", "created_at")
COLUMNS = (
    Column("id", "our number", "id", Kind.NUMBER),
    Column("panel_id", "number in the panel", "panel_id", Kind.NUMBER),
    Column("panel_uuid", "UUID in the panel, contract v2", "panel_uuid", Kind.ID, is_usual=False),
    Column("username", "name in the panel", "username"),
    Column("status", "ACTIVE, DISABLED, LIMITED or EXPIRED, as the panel says", "status"),
    Column("plan", "code of the plan", "plan__code"),
    Column("expires_at", "end of the subscription", "expire_at", Kind.MOMENT),
    Column("telegram_id", "Telegram account", "telegram_id", Kind.NUMBER),
    Column("email", "email", "email"),
    Column("language", "language of messages", "language"),
    Column("tag", "tag in the panel", "tag"),
    Column("traffic_limit_bytes", "allowance; 0: none", "traffic_limit_bytes", Kind.NUMBER),
    Column("used_traffic_bytes", "since the last reset", "used_traffic_bytes", Kind.NUMBER),
    Column("lifetime_traffic_bytes", "ever", "lifetime_traffic_bytes", Kind.NUMBER),
    Column("traffic_reset", "when the panel resets it", "traffic_limit_strategy"),
    Column("device_limit", "devices that are allowed", "device_limit", Kind.NUMBER),
    Column("auto_renew", "renews by itself", "auto_renew", Kind.FLAG),
    Column("online_at", "last seen online", "online_at", Kind.MOMENT),
    Column("first_connected_at", "first connection", "first_connected_at", Kind.MOMENT),
    Column("last_node", "UUID of the last server", "last_node_uuid", Kind.ID),
    Column("cut_by", "who cut them off: sweep, bulk, operator, panel", "cut_by"),
    Column("cut_at", "when", "cut_at", Kind.MOMENT),
    Column("cut_reason", "why", "cut_reason", is_usual=False),
    Column("registered_at", "made in the panel", _REGISTERED, Kind.MOMENT),
    Column("gone_at", "no longer in the panel since", "missing_since", Kind.MOMENT),
    Column("mirrored_at", "last read from the panel", "mirrored_at", Kind.MOMENT, is_usual=False),
)


def _plans() -> list[tuple[str, str]]:
    return list(Plan.objects.order_by("code").values_list("code", "title"))


_CHOICES: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "status": lambda: [(str(value), str(label)) for value, label in PanelStatus.choices],
    "plan": _plans,
    "cut_by": lambda: [(str(value), str(label)) for value, label in CutBy.choices if value],
}
_WORDS = {*_CHOICES, "tag"}
_ENTRIES: dict[Callable[[Any], Any], Entry] = {
    flag_read: Entry.FLAG,
    moment_read: Entry.MOMENT,
    number_read: Entry.NUMBER,
}


def _rows(
    filters: dict[str, Any], since: datetime | None, until: datetime | None
) -> QuerySet[Subscriber]:
    rows = filter_query(filters)  # whoever is gone from the panel only if it asks for them
    return between(rows.alias(registered=_REGISTERED), "registered", since, until)


def _given(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Checks as the filter of subscribers does, and keeps what was given: that filter reads it again."""

    def check(value: Any) -> Any:
        read(value)
        return value

    return check


USERS = Source(
    name="users",
    title="Users",
    permission="subscriptions.view_subscriber",
    span="when they were made in the panel",
    columns=COLUMNS,
    parts={
        name: Part(
            part.title,
            _given(part.read),
            entry=Entry.WORDS if name in _WORDS else _ENTRIES.get(part.read, Entry.TEXT),
            choices=_CHOICES.get(name),
        )
        for name, part in PARTS.items()
    },
    rows=_rows,
)
