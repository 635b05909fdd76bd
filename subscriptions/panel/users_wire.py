"""Users as they come over the wire, and what we send to change them. Source: contract, sections 2 to 4."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from subscriptions.panel.fields import (
    ContractDiffers,
    Fields,
    flag,
    moment,
    objects,
    text,
    whole,
)
from subscriptions.panel.types import (
    Device,
    PanelSquad,
    PanelStatus,
    PanelUser,
    Squad,
    TrafficStrategy,
    UserFields,
    UserPage,
)

SETTABLE = frozenset({PanelStatus.ACTIVE, PanelStatus.DISABLED})


def user_read(raw: Any) -> PanelUser:
    """One user. Raises ContractDiffers."""
    return _user(Fields(raw, "user"))


def _user(user: Fields) -> PanelUser:
    need, may = user.need, user.may
    traffic = user.child("userTraffic")
    return PanelUser(
        id=need("id", whole),
        uuid=need("uuid", UUID) if "uuid" in user.raw else None,
        short_uuid=need("shortUuid", text),
        username=need("username", text),
        status=need("status", PanelStatus),
        expire_at=need("expireAt", moment),
        telegram_id=may("telegramId", whole),
        email=may("email", text),
        description=may("description", text),
        tag=may("tag", text),
        traffic_limit_bytes=need("trafficLimitBytes", whole),
        traffic_strategy=need("trafficLimitStrategy", TrafficStrategy),
        used_bytes=traffic.need("usedTrafficBytes", whole),
        lifetime_used_bytes=traffic.need("lifetimeUsedTrafficBytes", whole),
        hwid_device_limit=may("hwidDeviceLimit", whole),
        squads=tuple(
            PanelSquad(squad.need("uuid", UUID), squad.need("name", text))
            for squad in user.children("activeInternalSquads")
        ),
        external_squad_uuid=may("externalSquadUuid", UUID),
        online_at=traffic.may("onlineAt", moment),
        first_connected_at=traffic.may("firstConnectedAt", moment),
        last_node_uuid=traffic.may("lastConnectedNodeUuid", UUID),
        last_threshold_percent=need("lastTriggeredThreshold", whole),
        sub_revoked_at=may("subRevokedAt", moment),
        last_traffic_reset_at=may("lastTrafficResetAt", moment),
        created_at=need("createdAt", moment),
        updated_at=need("updatedAt", moment),
        subscription_url=need("subscriptionUrl", text),
    )


def users_read(raw: Any) -> tuple[PanelUser, ...]:
    """A bare list of users (v2 by-telegram-id)."""
    return tuple(map(_user, objects(raw, "users")))


def stream_read(raw: Any) -> UserPage:
    """A page of /api/users/stream."""
    page = Fields(raw, "stream")
    users = tuple(map(_user, page.children("users")))
    cursor = page.may("nextCursor", _cursor)
    has_more = page.need("hasMore", flag)
    if has_more and cursor is None:
        raise ContractDiffers("stream.nextCursor is null although there is more")
    return UserPage(users, cursor if has_more else None)


def _cursor(value: Any) -> str:
    return str(value) if type(value) is int else text(value)


def page_read(raw: Any) -> UserPage:
    """A page of /api/users."""
    page = Fields(raw, "users")
    return UserPage(tuple(map(_user, page.children("users"))), None, page.need("total", whole))


def devices_read(raw: Any) -> tuple[Device, ...]:
    """/api/hwid/devices/{user}."""
    return tuple(
        Device(
            hwid=one.need("hwid", text),
            platform=one.may("platform", text),
            os_version=one.may("osVersion", text),
            model=one.may("deviceModel", text),
            user_agent=one.may("userAgent", text),
            created_at=one.need("createdAt", moment),
            updated_at=one.need("updatedAt", moment),
        )
        for one in Fields(raw, "devices").children("devices")
    )


def squads_read(raw: Any) -> tuple[Squad, ...]:
    """/api/internal-squads."""
    return tuple(
        Squad(
            uuid=one.need("uuid", UUID),
            name=one.need("name", text),
            members=one.child("info").need("membersCount", whole),
            inbound_tags=tuple(each.need("tag", text) for each in one.children("inbounds")),
        )
        for one in Fields(raw, "squads").children("internalSquads")
    )


def moment_write(value: datetime) -> str:
    """A moment as the panel writes them: UTC, milliseconds, Z. Raises ValueError for one without zone."""
    if value.tzinfo is None:
        raise ValueError("a moment for the panel needs a time zone")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _status_write(value: PanelStatus) -> str:
    if value not in SETTABLE:
        raise ValueError(
            f"the panel derives {value} by itself; only ACTIVE and DISABLED can be set"
        )
    return str(value)


_WRITERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "status": ("status", _status_write),
    "expire_at": ("expireAt", moment_write),
    "traffic_limit_bytes": ("trafficLimitBytes", int),
    "traffic_strategy": ("trafficLimitStrategy", str),
    "description": ("description", str),
    "tag": ("tag", str),
    "telegram_id": ("telegramId", int),
    "email": ("email", str),
    "hwid_device_limit": ("hwidDeviceLimit", int),
    "external_squad_uuid": ("externalSquadUuid", str),
    "squads": ("activeInternalSquads", lambda found: [str(each) for each in found]),
}
_EMPTIABLE = frozenset(
    {"description", "tag", "telegram_id", "email", "hwid_device_limit", "external_squad_uuid"}
)


def fields_write(fields: UserFields) -> dict[str, Any]:
    """The body of a change. Raises ValueError for what the panel would refuse or misread."""
    if not fields:
        raise ValueError("a change of a user needs at least one field")
    body: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in _WRITERS:
            raise ValueError(f"a user of the panel has no field {name}")
        key, write = _WRITERS[name]
        if value is None and name not in _EMPTIABLE:
            raise ValueError(f"{name} of a user cannot be empty")
        body[key] = None if value is None else write(value)
    return body
