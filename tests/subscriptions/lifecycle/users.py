"""A user of the panel as a value, for tests without a panel."""

from dataclasses import replace
from datetime import UTC, datetime

from subscriptions.models import Subscriber
from subscriptions.panel.types import PanelStatus, PanelUser, TrafficStrategy

_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


def panel_user() -> PanelUser:
    """An active one; change it with dataclasses.replace."""
    return PanelUser(
        id=7,
        uuid=None,
        short_uuid="abcdefghijklmnop",
        username="person_7",
        status=PanelStatus.ACTIVE,
        expire_at=datetime(2027, 1, 1, tzinfo=UTC),
        telegram_id=500_000_007,
        email=None,
        description=None,
        tag=None,
        traffic_limit_bytes=0,
        traffic_strategy=TrafficStrategy.NO_RESET,
        used_bytes=0,
        lifetime_used_bytes=0,
        hwid_device_limit=None,
        squads=(),
        external_squad_uuid=None,
        online_at=None,
        first_connected_at=None,
        last_node_uuid=None,
        last_threshold_percent=0,
        sub_revoked_at=None,
        last_traffic_reset_at=None,
        created_at=_MADE_AT,
        updated_at=_MADE_AT,
        subscription_url="https://panel.example.com/abcdefghijklmnop",
    )


def user_of(row: Subscriber) -> PanelUser:
    """The panel as the mirror has somebody."""
    return replace(
        panel_user(),
        id=row.panel_id or 0,
        username=row.username,
        short_uuid=row.short_uuid,
        status=PanelStatus(row.status),
        expire_at=row.expire_at,
        telegram_id=row.telegram_id,
    )
