"""Writing down what the panel has just said of one user, without waiting for the mirror."""

from collections.abc import Mapping
from typing import Any

from lib import clock
from subscriptions.models import CutBy, Subscriber
from subscriptions.panel.types import PanelStatus, PanelUser


def columns_of(user: PanelUser) -> dict[str, Any]:
    """The columns of a subscriber that belong to the panel, as it says they are."""
    return {
        "panel_id": user.id,
        "panel_uuid": user.uuid,
        "short_uuid": user.short_uuid,
        "username": user.username,
        "status": user.status.value,
        "expire_at": user.expire_at,
        "telegram_id": user.telegram_id,
        "email": user.email or "",
        "description": user.description or "",
        "tag": user.tag or "",
        "traffic_limit_bytes": user.traffic_limit_bytes,
        "traffic_limit_strategy": user.traffic_strategy[:13],
        "used_traffic_bytes": user.used_bytes,
        "lifetime_traffic_bytes": user.lifetime_used_bytes,
        "device_limit": user.hwid_device_limit,
        "squads": [squad.uuid for squad in user.squads],
        "subscription_url": user.subscription_url,
        "online_at": user.online_at,
        "first_connected_at": user.first_connected_at,
        "last_node_uuid": user.last_node_uuid,
        "last_traffic_reset_at": user.last_traffic_reset_at,
        "revoked_at": user.sub_revoked_at,
        "panel_created_at": user.created_at,
        "panel_updated_at": user.updated_at,
    }


def user_note(
    subscriber: Subscriber, user: PanelUser, *, ours: Mapping[str, Any] | None = None
) -> None:
    """Write what the panel said of a subscriber, and what of ours changed with it.

    A read from before the last one that was noted changes nothing of the panel's. Whoever is not
    disabled was cut by nobody. The caller holds the subscriber's lock.
    """
    changed: dict[str, Any] = dict(ours or {})
    known = subscriber.panel_updated_at
    if known is None or user.updated_at >= known or subscriber.panel_id != user.id:
        changed |= {**columns_of(user), "mirrored_at": clock.now(), "missing_since": None}
        if user.status != PanelStatus.DISABLED:
            changed |= {"cut_by": CutBy.NOBODY, "cut_reason": "", "cut_at": None}
    for name, value in changed.items():
        setattr(subscriber, name, value)
    if changed:
        subscriber.save(update_fields=list(changed))
