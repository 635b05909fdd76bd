"""Telegram as one service of the sandbox."""

from dataclasses import replace
from typing import Any

from starlette.routing import BaseRoute

from tests.sandbox.exchange import Exchange
from tests.sandbox.service import ControlInvalid
from tests.sandbox.telegram import control, keeping, routes
from tests.sandbox.telegram.limits import LimitRules
from tests.sandbox.telegram.world import World


class TelegramService:
    """The Bot API and its control endpoints over one world."""

    name = routes.SERVICE

    def __init__(self, exchange: Exchange) -> None:
        self.world = World()
        self._exchange = exchange

    def routes(self) -> list[BaseRoute]:
        return routes.routes(self.world, self._exchange)

    def control_routes(self) -> list[BaseRoute]:
        return control.routes(self.world)

    def reset(self) -> None:
        self.world.reset()

    def limits(self) -> dict[str, Any]:
        return self.world.limits.rules.as_json()

    def change_limits(self, changes: dict[str, Any]) -> None:
        """Numbers must not be negative; a rate of 0 or null switches its limit off."""
        known = LimitRules().as_json()
        checked: dict[str, Any] = {}
        for name, value in changes.items():
            if name not in known:
                raise ControlInvalid(f"{name} is unknown; known are {', '.join(known)}")
            checked[name] = _checked(name, value, known[name])
        self.world.limits.change(replace(self.world.limits.rules, **checked))

    def revision(self) -> int:
        return self.world.messages.revision + self.world.traffic.received

    def waits(self) -> int:
        """Nothing: a press is answered before its order is."""
        return 0

    def kept(self) -> dict[str, Any]:
        return keeping.kept(self.world)

    def restore(self, content: dict[str, Any], *, id_gap: int) -> None:
        keeping.restore(self.world, content, id_gap=id_gap)


def _checked(name: str, value: Any, default: object) -> object:
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ControlInvalid(f"{name} must be true or false")
        return value
    value = 0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ControlInvalid(f"{name} must be a number of at least 0")
    if isinstance(default, int) and (value != int(value) or value < 1):
        raise ControlInvalid(f"{name} must be a whole number of at least 1")
    return type(default)(value)  # type: ignore[call-arg]
