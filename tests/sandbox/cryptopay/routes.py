"""/cryptopay/api/<method>: one ASGI endpoint for all methods."""

import time
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from tests.sandbox.cryptopay.errors import ApiError
from tests.sandbox.cryptopay.methods import METHODS, unknown_method
from tests.sandbox.cryptopay.params import Parameters, read_parameters
from tests.sandbox.cryptopay.world import World
from tests.sandbox.exchange import Exchange
from tests.sandbox.faults import Fault, Kind
from tests.sandbox.journal import Call
from tests.sandbox.wire import Answer

SERVICE = "cryptopay"
TOKEN_HEADER = "crypto-pay-api-token"

_NAMES = {
    401: "UNAUTHORIZED",
    403: "METHOD_DISABLED",
    405: "METHOD_NOT_FOUND",
    423: "APP_SUSPENDED",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_SERVER_ERROR",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
}


class PayApi:
    """Answers every call of the API."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        self._exchange = exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["path_params"]["method"]
        call = Call(SERVICE, method, scope["method"], scope["path"], time.time())
        parameters, refusal = Parameters(), None
        try:
            parameters = await read_parameters(scope, receive)
        except ApiError as error:
            refusal = error
        except ClientDisconnect:
            return
        call.body = parameters.body or scope["query_string"]
        headers = Headers(scope=scope)
        token = headers.get(TOKEN_HEADER, "")
        site = f"{scope['scheme']}://{headers.get('host', '')}"
        status = await self._exchange.run(
            scope,
            receive,
            send,
            call=call,
            chat_id=lambda: None,
            perform=lambda: self._perform(token, site, method, parameters, refusal),
            failure=ordered_failure,
        )
        self._world.traffic.count(call.at, method, status)

    def _perform(
        self, token: str, site: str, method: str, parameters: Parameters, refusal: ApiError | None
    ) -> Answer:
        try:
            app = self._world.apps.check(token, site)
            run = METHODS.get(method.lower(), unknown_method)
            if refusal is not None and run is not unknown_method:
                return error_answer(refusal)
            result: Any = run(self._world, app, parameters)
        except ApiError as error:
            return error_answer(error)
        return Answer(200, orjson.dumps({"ok": True, "result": result}))


def error_answer(error: ApiError, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    body = {"ok": False, "error": {"code": error.code, "name": error.name}}
    return Answer(error.code, orjson.dumps(body), headers=headers)


def ordered_failure(fault: Fault) -> Answer:
    """An ordered status in the envelope; rate_limit says how long to wait, status 429 does not."""
    if fault.kind is Kind.RATE_LIMIT:
        wait = str(fault.retry_after).encode()
        return error_answer(ApiError(429, _NAMES[429]), ((b"retry-after", wait),))
    return error_answer(ApiError(fault.status, _NAMES.get(fault.status, "ORDERED_FAILURE")))


def routes(world: World, exchange: Exchange) -> list[BaseRoute]:
    return [Route("/cryptopay/api/{method}", PayApi(world, exchange))]
