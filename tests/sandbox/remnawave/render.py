"""Users as the panel shows them. Rendered on demand: the store keeps no JSON."""

from collections.abc import Mapping
from typing import Any

from tests.sandbox.remnawave.dialect import Dialect
from tests.sandbox.remnawave.times import iso, iso_or_none
from tests.sandbox.remnawave.user import PanelUser

SUBSCRIPTION_URL = "https://sub.example.net/"


def user_json(
    user: PanelUser,
    dialect: Dialect,
    squad_names: Mapping[str, str],
    renamed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The user object. renamed gives keys another name, as a panel of a strange version would."""
    keys = user.keys()
    shown: dict[str, Any] = {} if dialect.is_v3 else {"uuid": user.uuid}
    shown |= {
        "id": user.id,
        "shortUuid": keys.short_uuid,
        "username": user.username,
        "status": user.status,
        "trafficLimitBytes": user.limit_bytes,
        "trafficLimitStrategy": user.strategy,
        "expireAt": iso(user.expire_ms),
        "telegramId": user.telegram_id,
        "email": user.email,
        "description": user.description,
        "tag": user.tag,
        "hwidDeviceLimit": user.hwid_limit,
        "externalSquadUuid": user.external_squad,
        "trojanPassword": keys.trojan_password,
        "vlessUuid": keys.vless_uuid,
        "ssPassword": keys.ss_password,
        "lastTriggeredThreshold": user.threshold,
        "subRevokedAt": iso_or_none(user.revoked_ms),
        "lastTrafficResetAt": iso_or_none(user.reset_ms),
        "createdAt": iso(user.created_ms),
        "updatedAt": iso(user.updated_ms),
        "subscriptionUrl": SUBSCRIPTION_URL + keys.short_uuid,
        "activeInternalSquads": [{"uuid": uuid, "name": squad_names[uuid]} for uuid in user.squads],
        "userTraffic": {
            "usedTrafficBytes": user.used_bytes,
            "lifetimeUsedTrafficBytes": user.lifetime_bytes,
            "onlineAt": iso_or_none(user.online_ms),
            "firstConnectedAt": iso_or_none(user.first_connected_ms),
            "lastConnectedNodeUuid": user.last_node,
        },
    }
    if renamed:
        return {renamed.get(name, name): value for name, value in shown.items()}
    return shown
