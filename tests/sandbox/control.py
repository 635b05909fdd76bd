"""/_sandbox/: faults, limits, raw requests, clock, reset and health of all services."""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from tests.sandbox.clock import OFFSET_LIMIT_S
from tests.sandbox.exchange import Exchange
from tests.sandbox.faults import FaultInvalid
from tests.sandbox.journal import KEEP_CALLS
from tests.sandbox.replies import json_reply, read_object, whole
from tests.sandbox.service import ControlInvalid, Service


def control_routes(services: dict[str, Service], exchange: Exchange) -> list[BaseRoute]:
    control = Control(services, exchange)
    return [
        Route("/health", control.health),
        Route("/faults", control.faults, methods=["GET", "POST", "DELETE"]),
        Route("/limits", control.limits, methods=["GET", "PUT"]),
        Route("/requests", control.requests),
        Route("/clock", control.clock, methods=["GET", "PUT"]),
        Route("/waits", control.waits),
        Route("/reset", control.reset, methods=["POST"]),
        *(Mount(f"/{name}", routes=service.control_routes()) for name, service in services.items()),
    ]


class Control:
    """The endpoints. Wrong input raises ControlInvalid, which the app answers with 400."""

    def __init__(self, services: dict[str, Service], exchange: Exchange) -> None:
        self._services = services
        self._exchange = exchange
        self._started_at = time.monotonic()

    async def health(self, request: Request) -> Response:
        return json_reply(
            {
                "ok": True,
                "uptime_s": round(time.monotonic() - self._started_at, 1),
                "services": {
                    name: {"revision": service.revision()}
                    for name, service in self._services.items()
                },
            }
        )

    async def faults(self, request: Request) -> Response:
        """POST an order, GET all, DELETE all or ?service= or ?id=."""
        book = self._exchange.faults
        if request.method == "POST":
            try:
                fault = book.order(await read_object(request))
            except FaultInvalid as error:
                raise ControlInvalid(str(error)) from None
            return json_reply(fault.as_json(time.monotonic()), 201)
        if request.method == "DELETE":
            number = whole(request.query_params, "id")
            cleared = book.clear(service=request.query_params.get("service"), number=number)
            return json_reply({"cleared": cleared})
        return json_reply({"faults": book.as_json()})

    async def limits(self, request: Request) -> Response:
        """PUT some of the numbers; {"enabled": false} lets everything through."""
        changes: dict[str, Any] = {}
        if request.method == "PUT":
            changes = await read_object(request)
        name = changes.pop("service", request.query_params.get("service") or "telegram")
        service = self._service(name)
        if request.method == "PUT":
            service.change_limits(changes)
        return json_reply({"service": name, **service.limits()})

    async def requests(self, request: Request) -> Response:
        """?limit= and ?service=; newest first."""
        limit = whole(request.query_params, "limit")
        limit = 100 if limit is None else min(max(limit, 0), KEEP_CALLS)
        service = request.query_params.get("service")
        return json_reply({"requests": self._exchange.journal.last(limit, service)})

    async def clock(self, request: Request) -> Response:
        """PUT {"offset_s": 0} or {"advance_s": 3600}: the time that all services live in."""
        clock = self._exchange.clock
        if request.method == "PUT":
            order = await read_object(request, {"offset_s", "advance_s"})
            if len(order) != 1:
                raise ControlInvalid("either offset_s or advance_s must say where the clock goes")
            ((name, value),) = order.items()
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ControlInvalid(f"{name} must be a number of seconds")
            offset_s = value if name == "offset_s" else clock.offset_s + value
            if abs(offset_s) > OFFSET_LIMIT_S:
                raise ControlInvalid(f"{name} would move the clock by more than a hundred years")
            clock.move_to(offset_s)
        return json_reply({"offset_s": clock.offset_s, "now": clock.now().isoformat()})

    async def waits(self, request: Request) -> Response:
        """What is due or under way by itself, of each service: 0 everywhere is peace."""
        return json_reply({name: service.waits() for name, service in self._services.items()})

    async def reset(self, request: Request) -> Response:
        """Everything and the clock, or one {"service": name}: its state, faults and requests."""
        name = (await read_object(request, {"service"})).get("service")
        chosen = [self._service(name)] if name else list(self._services.values())
        if not name:
            self._exchange.clock.reset()
        for service in chosen:
            service.reset()
        self._exchange.faults.clear(service=name)
        self._exchange.journal.clear(service=name)
        return json_reply({"reset": [service.name for service in chosen]})

    def _service(self, name: Any) -> Service:
        service = self._services.get(name) if isinstance(name, str) else None
        if service is None:
            raise ControlInvalid(f"service must be one of {', '.join(self._services)}")
        return service
