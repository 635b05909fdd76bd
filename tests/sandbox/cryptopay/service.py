"""Crypto Pay as one service of the sandbox."""

from typing import Any

from starlette.routing import BaseRoute

from tests.sandbox.cryptopay import control, page, routes
from tests.sandbox.cryptopay.world import World
from tests.sandbox.exchange import Exchange
from tests.sandbox.service import ControlInvalid


class CryptoPayService:
    """The API and its control endpoints over one world."""

    name = routes.SERVICE

    def __init__(self, exchange: Exchange) -> None:
        self.world = World(exchange.clock)
        self._exchange = exchange

    def routes(self) -> list[BaseRoute]:
        return [*routes.routes(self.world, self._exchange), *page.routes(self.world)]

    def control_routes(self) -> list[BaseRoute]:
        return control.routes(self.world)

    def reset(self) -> None:
        self.world.reset()

    def limits(self) -> dict[str, Any]:
        """None are published, so none are kept; `stats` tells the peaks."""
        return {}

    def change_limits(self, changes: dict[str, Any]) -> None:
        if changes:
            raise ControlInvalid("Crypto Pay has no limits to change; order a rate_limit fault")

    def revision(self) -> int:
        return self.world.invoices.revision
