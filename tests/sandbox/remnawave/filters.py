"""filters, filterModes and sorting of the paged list: JSON in the query string."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson

from tests.sandbox.remnawave.errors import crashed, invalid
from tests.sandbox.remnawave.times import read_iso
from tests.sandbox.remnawave.user import PanelUser

_Value = Callable[[PanelUser], Any]
_DATES: dict[str, _Value] = {
    "createdAt": lambda user: user.created_ms,
    "expireAt": lambda user: user.expire_ms,
    "lastTrafficResetAt": lambda user: user.reset_ms,
    "subRevokedAt": lambda user: user.revoked_ms,
    "userTraffic.onlineAt": lambda user: user.online_ms,
    "userTraffic.firstConnectedAt": lambda user: user.first_connected_ms,
}
_NUMBERS: dict[str, _Value] = {
    "hwidDeviceLimit": lambda user: user.hwid_limit,
    "trafficLimitBytes": lambda user: user.limit_bytes,
    "usedTrafficBytes": lambda user: user.used_bytes,
    "userTraffic.lifetimeUsedTrafficBytes": lambda user: user.lifetime_bytes,
}
_TEXTS: dict[str, _Value] = {
    "id": lambda user: str(user.id),
    "telegramId": lambda user: None if user.telegram_id is None else str(user.telegram_id),
    "vlessUuid": lambda user: user.keys().vless_uuid,
    "trojanPassword": lambda user: user.keys().trojan_password,
    "externalSquadUuid": lambda user: user.external_squad,
    "username": lambda user: user.username,
    "status": lambda user: user.status.value,
    "shortUuid": lambda user: user.keys().short_uuid,
    "description": lambda user: user.description,
    "email": lambda user: user.email,
    "tag": lambda user: user.tag,
    "activeInternalSquads": lambda user: " ".join(user.squads),
    "nodeName": lambda user: user.last_node,
}
_ALWAYS_PARTS = {"id", "telegramId"}  # a substring match, whatever mode is asked for
_SORTS: dict[str, _Value] = _DATES | _NUMBERS | _TEXTS | {"id": lambda user: user.id}


class Filter(NamedTuple):
    """One condition on one field."""

    name: str
    mode: str
    value: Any


def read_filters(query: dict[str, str]) -> list[Filter]:
    """Raises PanelError 400, without a list of issues if the JSON is broken. Unknown ids drop."""
    modes = _json(query, "filterModes", dict)
    known = _DATES.keys() | _NUMBERS.keys() | _TEXTS.keys()
    return [
        Filter(item["id"], str(modes.get(item["id"]) or "contains"), item.get("value"))
        for item in _json(query, "filters", list)
        if isinstance(item, dict) and item.get("id") in known
    ]


def read_sorting(query: dict[str, str]) -> list[tuple[_Value, bool]]:
    """Value and whether descending. Raises PanelError: an id that no column has crashes it."""
    found: list[tuple[_Value, bool]] = []
    for item in _json(query, "sorting", list):
        if not isinstance(item, dict) or item.get("id") not in _SORTS:
            raise crashed()
        found.append((_SORTS[item["id"]], bool(item.get("desc"))))
    return found


def filtered(users: list[PanelUser], filters: list[Filter]) -> list[PanelUser]:
    return [user for user in users if all(_fits(user, item) for item in filters)]


def sorted_users(users: Iterable[PanelUser], sorting: list[tuple[_Value, bool]]) -> list[PanelUser]:
    """By the given columns, empty values last; by id downwards without any."""
    if not sorting:
        return sorted(users, key=lambda user: -user.id)
    found = list(users)
    for value, is_descending in reversed(sorting):
        filled = [user for user in found if value(user) is not None]
        filled.sort(key=value, reverse=is_descending)
        found = filled + [user for user in found if value(user) is None]
    return found


def _fits(user: PanelUser, item: Filter) -> bool:
    name, mode, asked = item
    if asked == []:
        return True
    if name in _DATES:
        return _compares(_DATES[name](user), mode, asked, _moment, default=True)
    if name in _NUMBERS and mode != "contains":
        return _compares(_NUMBERS[name](user), mode, asked, float, default=False)
    value = (_TEXTS.get(name) or _NUMBERS[name])(user)
    if value is None:
        return False
    text = str(value)
    if name in _ALWAYS_PARTS or mode == "contains":
        return str(asked).lower() in text.lower()
    if mode == "equals":
        return text in [str(one) for one in asked] if isinstance(asked, list) else text == asked
    if mode == "startsWith":
        return text.startswith(str(asked))
    if mode == "endsWith":
        return text.endswith(str(asked))
    return _compares(text, mode, asked, str, default=False)


def _compares(
    value: Any, mode: str, asked: Any, read: Callable[[Any], Any], *, default: bool
) -> bool:
    """Compare by mode; default says whether an unknown mode means equality."""
    if value is None:
        return False
    try:
        if mode == "between":
            low, high = asked
            return (not low or value >= read(low)) and (not high or value <= read(high))
        wanted = read(asked)
    except (TypeError, ValueError):
        raise crashed() from None
    if mode in _COMPARISONS:
        return _COMPARISONS[mode](value, wanted)
    return bool(value == wanted) if default or mode == "equals" else False


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "greaterThan": lambda value, wanted: bool(value > wanted),
    "greaterThanOrEqualTo": lambda value, wanted: bool(value >= wanted),
    "lessThan": lambda value, wanted: bool(value < wanted),
    "lessThanOrEqualTo": lambda value, wanted: bool(value <= wanted),
}


def _moment(asked: Any) -> int:
    return read_iso(str(asked))


def _json(query: dict[str, str], name: str, kind: type) -> Any:
    if not query.get(name):
        return kind()
    try:
        found = orjson.loads(query[name])
    except orjson.JSONDecodeError:
        raise invalid(None) from None
    if not isinstance(found, kind):
        raise invalid([{"code": "invalid_type", "path": [name], "message": "Invalid input"}])
    return found
