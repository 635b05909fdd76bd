"""How the panel shall behave where real installations differ, or fail."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tests.sandbox.service import ControlInvalid


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """All switches but the version.

    requires_proxy_headers: cut a connection without X-Forwarded-Proto: https and X-Forwarded-For,
    as a panel that is asked past its proxy does. bulk_delay_s: how long 202 lies in the queue.
    bulk_fail_share and bulk_fail_ids: whose queued change fails without a word (share drawn by
    user id). expiry_every_s and limited_every_s: the panel's own sweeps.
    bandwidth_thresholds (percent) and expiration_hours (negative: before): which of these events
    it sends. resets_traffic: whether it resets by strategy. live_share of the users are
    online at every count of traffic (15 s), each with live_bytes on average. renamed_keys: keys of a user
    under another name, for a contract that differs.
    """

    requires_proxy_headers: bool = False
    bulk_delay_s: float = 0.3
    bulk_fail_share: float = 0.0
    bulk_fail_ids: tuple[int, ...] = ()
    expiry_every_s: float = 30.0
    limited_every_s: float = 45.0
    bandwidth_thresholds: tuple[int, ...] = ()
    expiration_hours: tuple[int, ...] = ()
    resets_traffic: bool = True
    live_share: float = 0.0
    live_bytes: float = 1e6
    renamed_keys: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _are_whole(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int for item in value)


def _are_names(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value.values())


_FLAG = (_is_flag, "true or false")
_AMOUNT = (_is_amount, "a number of at least 0")
_WHOLE = (_are_whole, "a list of whole numbers")
_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "requires_proxy_headers": _FLAG,
    "bulk_delay_s": _AMOUNT,
    "bulk_fail_share": _AMOUNT,
    "bulk_fail_ids": _WHOLE,
    "expiry_every_s": _AMOUNT,
    "limited_every_s": _AMOUNT,
    "bandwidth_thresholds": _WHOLE,
    "expiration_hours": _WHOLE,
    "resets_traffic": _FLAG,
    "live_share": _AMOUNT,
    "live_bytes": _AMOUNT,
    "renamed_keys": (_are_names, "an object of names"),
}
_LEAST_S = 0.05  # a sweep without a pause would be the only thing that runs


def changed(settings: PanelSettings, changes: dict[str, Any]) -> PanelSettings:
    """New settings. Raises ControlInvalid for a name or value that makes no sense."""
    checked: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in _FORMS:
            raise ControlInvalid(f"{name} is unknown; known are {', '.join(_FORMS)}")
        is_sound, words = _FORMS[name]
        if not is_sound(value):
            raise ControlInvalid(f"{name} must be {words}")
        checked[name] = tuple(value) if isinstance(value, list) else value
        if name.endswith("_every_s"):
            checked[name] = max(float(value), _LEAST_S)
    return replace(settings, **checked)
