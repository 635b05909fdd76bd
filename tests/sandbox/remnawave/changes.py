"""What a change of one user brings with it. Every door of the panel calls these.

Source: users.service and users.repository of panel 3.3.2, as the contract lists them.
"""

from typing import Any

from tests.sandbox.remnawave.errors import refused
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.squads import NAMES
from tests.sandbox.remnawave.times import DAY_MS
from tests.sandbox.remnawave.user import PanelUser, Status, Strategy

KEY_NAMES = {
    "uuid": "uuid",
    "shortUuid": "short_uuid",
    "trojanPassword": "trojan_password",
    "ssPassword": "ss_password",
    "vlessUuid": "vless_uuid",
}
# Fields of a body -> attributes that are simply set.
_PLAIN = {
    "trafficLimitBytes": "limit_bytes",
    "expireAt": "expire_ms",
    "description": "description",
    "tag": "tag",
    "email": "email",
    "hwidDeviceLimit": "hwid_limit",
    "externalSquadUuid": "external_squad",
}


def create(panel: Panel, fields: dict[str, Any]) -> PanelUser:
    """A new user. Raises PanelError A019 or A020 for a name that is taken, A018 for a bad squad."""
    if panel.users.by_username(fields["username"]) is not None:
        raise refused("A019")
    short_uuid = fields.get("shortUuid")
    if short_uuid is not None and panel.users.by_short_uuid(short_uuid) is not None:
        raise refused("A020")
    if not _are_squads_known(fields):
        raise refused("A018")
    now_ms = panel.now_ms()
    chosen = {KEY_NAMES[name]: fields[name] for name in KEY_NAMES if name in fields}
    user = PanelUser(
        id=panel.users.next_id,
        username=fields["username"],
        status=Status(fields.get("status", Status.ACTIVE)),
        expire_ms=fields["expireAt"],
        created_ms=fields.get("createdAt", now_ms),
        updated_ms=now_ms,
        strategy=Strategy(fields.get("trafficLimitStrategy", Strategy.NO_RESET)),
        telegram_id=fields.get("telegramId"),
        squads=tuple(fields.get("activeInternalSquads", ())),
        reset_ms=fields.get("lastTrafficResetAt"),
        chosen=chosen or None,
    )
    for name in _PLAIN.keys() & fields.keys():
        setattr(user, _PLAIN[name], fields[name])
    panel.users.add(user)
    panel.announce("user.created", user)
    return user


def update(panel: Panel, user: PanelUser, fields: dict[str, Any]) -> None:
    """PATCH. DISABLED counts for ACTIVE users only: on others it is ignored without a word.

    Raises PanelError A039 for an unknown squad, before anything changed.
    """
    if not _are_squads_known(fields):
        raise refused("A039")
    now_ms = panel.now_ms()
    user.status = _status_after_update(user, fields, now_ms)
    if "trafficLimitBytes" in fields:
        user.threshold = 0
    set_plain(panel, user, fields)
    if "activeInternalSquads" in fields:
        user.squads = tuple(fields["activeInternalSquads"])
    user.updated_ms = now_ms
    panel.announce("user.modified", user)


def enable(panel: Panel, user: PanelUser) -> None:
    """Also for LIMITED and EXPIRED users, whom the next sweep puts back. Raises PanelError A030."""
    if user.status is Status.ACTIVE:
        raise refused("A030")
    _set_status(panel, user, Status.ACTIVE)
    panel.announce("user.enabled", user)


def disable(panel: Panel, user: PanelUser) -> None:
    """Also for EXPIRED and LIMITED users. Raises PanelError A029."""
    if user.status is Status.DISABLED:
        raise refused("A029")
    _set_status(panel, user, Status.DISABLED)
    panel.announce("user.disabled", user)


def reset_traffic(panel: Panel, user: PanelUser) -> None:
    """Used traffic back to 0; a LIMITED user is ACTIVE again."""
    was_limited = user.status is Status.LIMITED
    if was_limited:
        user.status = Status.ACTIVE
    user.used_bytes = user.threshold = 0
    user.reset_ms = user.updated_ms = panel.now_ms()
    if was_limited:
        panel.announce("user.enabled", user)
    panel.announce("user.traffic_reset", user)


def revoke(
    panel: Panel, user: PanelUser, *, short_uuid: str | None = None, only_passwords: bool = False
) -> None:
    """New slug and secrets. Raises PanelError A020 for a slug that is taken."""
    if short_uuid is not None:
        owner = panel.users.by_short_uuid(short_uuid)
        if owner is not None and owner is not user:
            raise refused("A020")
    before = user.keys()
    with panel.users.rekeyed(user):
        user.generation += 1
        chosen = user.chosen or {}
        kept = {name: value for name, value in chosen.items() if name == "uuid"}
        if only_passwords:
            kept["short_uuid"] = before.short_uuid
        elif short_uuid is not None:
            kept["short_uuid"] = short_uuid
        user.chosen = kept or None
    user.updated_ms = panel.now_ms()
    user.revoked_ms = user.updated_ms
    panel.announce("user.revoked", user)


def extend(panel: Panel, user: PanelUser, days: int) -> None:
    """Days on top of the later of now and expiry; EXPIRED becomes ACTIVE. Not repeatable."""
    now_ms = panel.now_ms()
    user.expire_ms = max(now_ms, user.expire_ms) + days * DAY_MS
    if user.status is Status.EXPIRED:
        user.status = Status.ACTIVE
    user.updated_ms = now_ms
    panel.announce("user.modified", user)


def delete(panel: Panel, user: PanelUser) -> None:
    panel.users.remove([user.id])
    panel.announce("user.deleted", user)


def set_plain(panel: Panel, user: PanelUser, fields: dict[str, Any]) -> None:
    """Set what has no consequences for other fields."""
    for name in _PLAIN.keys() & fields.keys():
        setattr(user, _PLAIN[name], fields[name])
    if "trafficLimitStrategy" in fields:
        user.strategy = Strategy(fields["trafficLimitStrategy"])
    if "telegramId" in fields and fields["telegramId"] != user.telegram_id:
        with panel.users.rekeyed(user):
            user.telegram_id = fields["telegramId"]


def _status_after_update(user: PanelUser, fields: dict[str, Any], now_ms: int) -> Status:
    asked = fields.get("status")
    status = user.status
    if asked == Status.ACTIVE:
        status = Status.ACTIVE
    elif asked == Status.DISABLED and user.status is Status.ACTIVE:
        status = Status.DISABLED
    limit = fields.get("trafficLimitBytes")
    is_raised = limit is not None and (limit > user.limit_bytes or limit == 0)
    if user.status is Status.LIMITED and is_raised:
        status = Status.ACTIVE
    expire_ms = fields.get("expireAt")
    is_prolonged = expire_ms is not None and expire_ms != user.expire_ms and expire_ms > now_ms
    if user.status is Status.EXPIRED and is_prolonged and asked is None:
        status = Status.ACTIVE
    return status


def _set_status(panel: Panel, user: PanelUser, status: Status) -> None:
    user.status = status
    user.updated_ms = panel.now_ms()


def _are_squads_known(fields: dict[str, Any]) -> bool:
    squads = fields.get("activeInternalSquads") or ()
    return fields.get("externalSquadUuid") is None and all(uuid in NAMES for uuid in squads)
