"""Crypto Pay as one service of the sandbox."""

from typing import Any

from starlette.routing import BaseRoute

from tests.sandbox.cryptopay import control, keeping, page, routes
from tests.sandbox.cryptopay.world import World
from tests.sandbox.exchange import Exchange
from tests.sandbox.service import ControlInvalid


class CryptoPayService:
    """The API and its control endpoints over one world."""

    name = routes.SERVICE

    def __init__(self, exchange: Exchange) -> None:
        self.world = World(exchange.clock)
        self._exchange = exchange
        exchange.on_start(self.world.deliveries.start)

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

    def waits(self) -> int:
        return self.world.deliveries.waits()

    def kept(self) -> dict[str, Any]:
        return keeping.kept(self.world)

    def restore(self, content: dict[str, Any], *, id_gap: int) -> None:
        keeping.restore(self.world, content, id_gap=id_gap)
