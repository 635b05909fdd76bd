"""The ASGI application: every service at its own paths, control endpoints, and a page for people.

A new service is a class like TelegramService and one line in build_app.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Receive, Scope, Send

from tests.sandbox.control import control_routes
from tests.sandbox.cryptopay.service import CryptoPayService
from tests.sandbox.exchange import Exchange
from tests.sandbox.faults import FaultBook
from tests.sandbox.hooks import hook_routes
from tests.sandbox.journal import Journal
from tests.sandbox.keeping import Keeper
from tests.sandbox.remnawave.service import RemnawaveService
from tests.sandbox.replies import json_reply
from tests.sandbox.service import ControlInvalid, Service
from tests.sandbox.telegram.service import TelegramService

PAGE = Path(__file__).with_name("page.html")


class App(Starlette):
    """Calls of a service go straight to it: what Starlette does for each costs as much as the service."""

    def __init__(self, services: list[BaseRoute], routes: list[BaseRoute], **more: Any) -> None:
        super().__init__(routes=[*services, *routes], **more)
        self._services = [
            route for route in services if isinstance(route, Route) and route.app is route.endpoint
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for route in self._services:
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    await route.app(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)


def build_app() -> Starlette:
    """A sandbox that is fresh, or what it was when it has a file.

    app.state.exchange.start() begins what goes on by itself, stop() ends whatever it still waits for.
    """
    factories: dict[str, Callable[[Exchange], Service]] = {
        TelegramService.name: TelegramService,
        RemnawaveService.name: RemnawaveService,
        CryptoPayService.name: CryptoPayService,
    }
    exchange = Exchange(FaultBook(factories), Journal())
    services: dict[str, Service] = {name: make(exchange) for name, make in factories.items()}
    keeper = Keeper(services)
    keeper.load()
    exchange.on_start(keeper.start)
    exchange.on_stop(lambda: keeper.save(is_last=True))
    page = PAGE.read_text(encoding="utf-8")

    async def show_page(request: Request) -> Response:
        return HTMLResponse(page)

    app = App(
        [route for service in services.values() for route in service.routes()],
        routes=[
            Mount("/_sandbox", routes=[*hook_routes(), *control_routes(services, exchange)]),
            Route("/", show_page),
        ],
        exception_handlers={ControlInvalid: refuse},
    )
    app.state.exchange = exchange
    return app


async def refuse(request: Request, error: Exception) -> Response:
    return json_reply({"error": str(error)}, 400)
