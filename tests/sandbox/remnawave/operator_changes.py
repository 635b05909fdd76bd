"""Users as a test wants them: any field, also those that only the panel itself sets."""

from collections.abc import Callable
from typing import Any

from tests.sandbox.remnawave import changes
from tests.sandbox.remnawave.life import use
from tests.sandbox.remnawave.nodes import NodeState
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import Reader
from tests.sandbox.remnawave.squads import DEFAULT_SQUAD, NAMES
from tests.sandbox.remnawave.times import DAY_MS, read_iso
from tests.sandbox.remnawave.user import PanelUser, Status, Strategy
from tests.sandbox.remnawave.users_write import read_changes
from tests.sandbox.service import ControlInvalid

GOOD_FOR_DAYS = 30


def add_user(panel: Panel, order: dict[str, Any]) -> PanelUser:
    """One user as the panel would make him; without a username he is named after his id.

    Raises ControlInvalid, and PanelError for a name that is taken.
    """
    fields = {
        "username": order.pop("username", f"user_{panel.users.next_id}"),
        "expireAt": panel.now_ms() + GOOD_FOR_DAYS * DAY_MS,
        "activeInternalSquads": [DEFAULT_SQUAD],
    }
    checked = _read(panel, order)  # before anybody exists who would have to go again
    user = changes.create(panel, fields)
    _set(panel, user, checked)
    return user


def set_user(panel: Panel, user: PanelUser, fields: dict[str, Any]) -> None:
    """Set fields as they are, without side effects. Raises ControlInvalid."""
    _set(panel, user, _read(panel, fields))


def use_traffic(panel: Panel, order: dict[str, Any]) -> None:
    """People are online and use so many bytes each; limits are looked after by the next sweep.

    Raises ControlInvalid.
    """
    numbers, size = order.get("user_ids"), order.get("bytes")
    node = panel.nodes.get(order["node"]) if order.get("node") else panel.nodes.first_up()
    if not isinstance(numbers, list) or type(size) is not int or size < 0 or node is None:
        raise ControlInvalid("user_ids must be a list, bytes a whole number, node one that is up")
    users = [user for number in numbers if (user := panel.users.get(number)) is not None]
    for user in users:
        use(panel, user, node, size)
    panel.revision += 1


def read_node(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a node by their names in nodes.Node. Raises ControlInvalid."""
    known = {
        "state": lambda value: value in list(NodeState),
        "message": lambda value: isinstance(value, str | None),
        "users_online": lambda value: type(value) is int,
        "used_bytes": lambda value: type(value) is int,
        "limit_bytes": lambda value: type(value) is int,
        "memory_used": lambda value: type(value) is int,
        "rx_per_s": lambda value: type(value) is int,
        "tx_per_s": lambda value: type(value) is int,
    }
    for name, value in fields.items():
        if name not in known:
            raise ControlInvalid(f"{name} is unknown; known are {', '.join(known)}")
        if not known[name](value):
            raise ControlInvalid(f"{name} cannot be {value!r}")
    return fields


def _update(panel: Panel, user: PanelUser, fields: dict[str, Any]) -> None:
    """Raises PanelError 400 for a field of a wrong form."""
    reader = Reader(fields)
    read_changes(reader, panel)
    reader.uuids("activeInternalSquads")
    changes.update(panel, user, reader.finish())


def _extend(panel: Panel, user: PanelUser, fields: dict[str, Any]) -> None:
    reader = Reader(fields)
    reader.integer("days", least=1, most=9999, required=True)
    changes.extend(panel, user, reader.finish()["days"])


# What a person does in the panel's own pages; the fields are those of the call.
ACTIONS: dict[str, Callable[[Panel, PanelUser, dict[str, Any]], None]] = {
    "update": _update,
    "extend": _extend,
    "enable": lambda panel, user, fields: changes.enable(panel, user),
    "disable": lambda panel, user, fields: changes.disable(panel, user),
    "reset-traffic": lambda panel, user, fields: changes.reset_traffic(panel, user),
    "revoke": lambda panel, user, fields: changes.revoke(panel, user),
    "delete": lambda panel, user, fields: changes.delete(panel, user),
}


def _set(panel: Panel, user: PanelUser, checked: dict[str, Any]) -> None:
    with panel.users.rekeyed(user):
        for attribute, value in checked.items():
            setattr(user, attribute, value)


def _read(panel: Panel, fields: dict[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "expireInSeconds":
            checked["expire_ms"] = panel.now_ms() + round(float(value) * 1000)
            continue
        if name not in _FIELDS:
            known = ", ".join([*_FIELDS, "expireInSeconds"])
            raise ControlInvalid(f"{name} is unknown; known are {known}")
        attribute, read = _FIELDS[name]
        try:
            checked[attribute] = None if value is None and name in _NULLABLE else read(value)
        except (TypeError, ValueError, KeyError) as error:
            raise ControlInvalid(f"{name} cannot be {value!r}: {error}") from None
    return checked


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("a whole number is needed")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is needed")
    return value


def _squads(value: Any) -> tuple[str, ...]:
    return tuple(uuid for uuid in value if NAMES[uuid])


_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "username": ("username", _text),
    "status": ("status", Status),
    "expireAt": ("expire_ms", read_iso),
    "createdAt": ("created_ms", read_iso),
    "updatedAt": ("updated_ms", read_iso),
    "trafficLimitBytes": ("limit_bytes", _whole),
    "trafficLimitStrategy": ("strategy", Strategy),
    "telegramId": ("telegram_id", _whole),
    "email": ("email", _text),
    "description": ("description", _text),
    "tag": ("tag", _text),
    "hwidDeviceLimit": ("hwid_limit", _whole),
    "activeInternalSquads": ("squads", _squads),
    "usedTrafficBytes": ("used_bytes", _whole),
    "lifetimeUsedTrafficBytes": ("lifetime_bytes", _whole),
    "onlineAt": ("online_ms", read_iso),
    "firstConnectedAt": ("first_connected_ms", read_iso),
    "lastConnectedNodeUuid": ("last_node", _text),
    "lastTriggeredThreshold": ("threshold", _whole),
    "lastTrafficResetAt": ("reset_ms", read_iso),
    "subRevokedAt": ("revoked_ms", read_iso),
}
_NULLABLE = {
    "telegramId",
    "email",
    "description",
    "tag",
    "hwidDeviceLimit",
    "onlineAt",
    "firstConnectedAt",
    "lastConnectedNodeUuid",
    "lastTrafficResetAt",
    "subRevokedAt",
}
