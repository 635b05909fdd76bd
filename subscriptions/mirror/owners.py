"""Who owns which field of a subscriber, and how the panel's value of it is read (docs/panel.md).

PANEL    the panel is right: the mirror takes its value over
GUARDED  the panel is right, unless its value is gone: an emptied one is shown as drift, ours stays
IDENTITY tells who somebody is: another value is another person, so nothing is written
US       the panel does not know of it; the mirror never touches it
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jobs.storable import storable
from subscriptions.panel.types import PanelUser


class Owner(StrEnum):
    """Whose word counts."""

    PANEL = "panel"
    GUARDED = "guarded"
    IDENTITY = "identity"
    US = "us"


@dataclass(frozen=True, slots=True)
class MirrorField:
    """A column of the mirror. sql_type: as it travels to Postgres. is_volatile: traffic and the like,
    which change all the time; they are never drift and never a line of the story. is_of_v2: a panel
    of v3 does not have it any more, which says nothing about ours."""

    name: str
    owner: Owner
    sql_type: str
    read: Callable[[PanelUser], Any]
    is_volatile: bool = False
    is_of_v2: bool = False


def _text(value: str | None, longest: int | None = None) -> str:
    return storable(value or "")[:longest]


FIELDS: tuple[MirrorField, ...] = (
    MirrorField("panel_id", Owner.IDENTITY, "bigint", lambda u: u.id),
    MirrorField("username", Owner.IDENTITY, "text", lambda u: _text(u.username, 36)),
    MirrorField("panel_uuid", Owner.GUARDED, "uuid", lambda u: u.uuid, is_of_v2=True),
    MirrorField("short_uuid", Owner.PANEL, "text", lambda u: _text(u.short_uuid, 64)),
    MirrorField("status", Owner.PANEL, "text", lambda u: u.status.value),
    MirrorField("expire_at", Owner.PANEL, "timestamptz", lambda u: u.expire_at),
    MirrorField("telegram_id", Owner.GUARDED, "bigint", lambda u: u.telegram_id),
    MirrorField("email", Owner.GUARDED, "text", lambda u: _text(u.email, 320)),
    MirrorField("description", Owner.PANEL, "text", lambda u: _text(u.description)),
    MirrorField("tag", Owner.PANEL, "text", lambda u: _text(u.tag, 16)),
    MirrorField("traffic_limit_bytes", Owner.PANEL, "bigint", lambda u: u.traffic_limit_bytes),
    MirrorField("traffic_limit_strategy", Owner.PANEL, "text", lambda u: u.traffic_strategy.value),
    MirrorField("used_traffic_bytes", Owner.PANEL, "bigint", lambda u: u.used_bytes, True),
    MirrorField(
        "lifetime_traffic_bytes", Owner.PANEL, "bigint", lambda u: u.lifetime_used_bytes, True
    ),
    MirrorField("device_limit", Owner.PANEL, "integer", lambda u: u.hwid_device_limit),
    MirrorField("squads", Owner.PANEL, "uuid[]", lambda u: sorted(s.uuid for s in u.squads)),
    MirrorField(
        "subscription_url", Owner.GUARDED, "text", lambda u: _text(u.subscription_url, 500)
    ),
    MirrorField("online_at", Owner.PANEL, "timestamptz", lambda u: u.online_at, True),
    MirrorField("first_connected_at", Owner.PANEL, "timestamptz", lambda u: u.first_connected_at),
    MirrorField("last_node_uuid", Owner.PANEL, "uuid", lambda u: u.last_node_uuid, True),
    MirrorField(
        "last_traffic_reset_at", Owner.PANEL, "timestamptz", lambda u: u.last_traffic_reset_at
    ),
    MirrorField("revoked_at", Owner.PANEL, "timestamptz", lambda u: u.sub_revoked_at),
    MirrorField("panel_created_at", Owner.PANEL, "timestamptz", lambda u: u.created_at, True),
    MirrorField("panel_updated_at", Owner.PANEL, "timestamptz", lambda u: u.updated_at, True),
)
# What only we know. Listed so that the table is whole; tests hold it against the model.
OURS = frozenset(
    {
        "id", "plan", "auto_renew", "renew_currency", "language", "time_zone", "cut_by", "cut_reason",
        "cut_at", "note", "mirrored_at", "missing_since", "created_at",
    }
)  # fmt: skip

BY_NAME = {field.name: field for field in FIELDS}
NAMES = tuple(BY_NAME)


def columns_of(user: PanelUser) -> dict[str, Any]:
    """A user of the panel as columns of the mirror."""
    return {field.name: field.read(user) for field in FIELDS}


def owner_of(name: str) -> Owner:
    """Whose word counts for a column of a subscriber. Raises KeyError for what is none."""
    if name in OURS:
        return Owner.US
    return BY_NAME[name].owner
