"""The panel as one service of the sandbox."""

from typing import Any

from starlette.routing import BaseRoute

from tests.sandbox.exchange import Exchange
from tests.sandbox.remnawave import control, keeping, routes
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.sweeps import Sweeps
from tests.sandbox.service import ControlInvalid


class RemnawaveService:
    """The panel's API and its control endpoints over one panel."""

    name = routes.SERVICE

    def __init__(self, exchange: Exchange) -> None:
        self.panel = Panel(exchange.clock)
        self._sweeps = Sweeps(self.panel)
        self._exchange = exchange
        exchange.clock.on_move(self._sweeps.follow)

    def routes(self) -> list[BaseRoute]:
        return routes.routes(self.panel, self._sweeps, self._exchange)

    def control_routes(self) -> list[BaseRoute]:
        return control.routes(self.panel, self._sweeps)

    def reset(self) -> None:
        self.panel.reset()
        self._sweeps.reset()

    def limits(self) -> dict[str, Any]:
        """The panel has none."""
        return {}

    def change_limits(self, changes: dict[str, Any]) -> None:
        if changes:
            raise ControlInvalid("the panel has no limits; order a fault of kind rate_limit")

    def revision(self) -> int:
        return self.panel.revision + self.panel.calls.received

    def waits(self) -> int:
        return self.panel.webhooks.states["pending"] + self.panel.queued

    def kept(self) -> dict[str, Any] | None:
        return keeping.kept(self.panel)

    def restore(self, content: dict[str, Any], *, id_gap: int) -> None:
        keeping.restore(self.panel, content, id_gap=id_gap)
