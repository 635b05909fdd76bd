"""/bot<token>/<method>: one ASGI endpoint for the whole Bot API."""

import time

import orjson
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from tests.sandbox.exchange import Exchange
from tests.sandbox.faults import Fault, Kind
from tests.sandbox.journal import Call
from tests.sandbox.telegram.bots import mask_token
from tests.sandbox.telegram.errors import ApiError, too_many_requests
from tests.sandbox.telegram.methods import METHODS, unknown_method
from tests.sandbox.telegram.params import Parameters, read_parameters
from tests.sandbox.telegram.world import World
from tests.sandbox.wire import Answer

SERVICE = "telegram"

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running",
    413: "Request Entity Too Large",
    500: "Internal Server Error: restart",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class BotApi:
    """Answers every call below /bot. Bodies are those of the official server."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        self._exchange = exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path_params"]
        token, method = path.get("token", ""), path.get("method", "")
        call = Call(SERVICE, method, scope["method"], mask_token(scope["path"]), time.time())
        self._world.traffic.count_received(call.at, method.lower())
        parameters, refusal = Parameters(), None
        try:
            parameters = await read_parameters(scope, receive)
        except ApiError as error:
            refusal = error
        except ClientDisconnect:
            return
        if method.lower() != "setwebhook":  # its body holds a secret
            call.body = parameters.body or scope["query_string"]
        status = await self._exchange.run(
            scope,
            receive,
            send,
            call=call,
            chat_id=parameters.chat_id,
            perform=lambda: self._perform(token, method, parameters, refusal),
            failure=ordered_failure,
        )
        self._world.traffic.count_answered(call.at, status)

    def _perform(
        self, token: str, method: str, parameters: Parameters, refusal: ApiError | None
    ) -> Answer:
        try:
            bot_id = self._world.bots.check(token)
            run = METHODS.get(method.lower(), unknown_method)
            if refusal is not None and run is not unknown_method:
                return error_answer(refusal)
            result, description = run(self._world, bot_id, parameters)
        except ApiError as error:
            return error_answer(error)
        envelope = {"ok": True, "result": result}
        if description is not None:
            envelope["description"] = description
        return Answer(200, orjson.dumps(envelope))


def routes(world: World, exchange: Exchange) -> list[BaseRoute]:
    api = BotApi(world, exchange)
    return [Route("/bot{token}/{method}", api), Route("/bot{rest:path}", api)]


def error_answer(error: ApiError) -> Answer:
    body: dict[str, object] = {
        "ok": False,
        "error_code": error.code,
        "description": error.description,
    }
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if error.parameters is not None:
        body["parameters"] = error.parameters
        if "retry_after" in error.parameters:
            headers = ((b"retry-after", str(error.parameters["retry_after"]).encode()),)
    return Answer(error.code, orjson.dumps(body), headers=headers)


def ordered_failure(fault: Fault) -> Answer:
    """The Bot API's words for an ordered status; 429 always says how long to wait."""
    if fault.kind is Kind.RATE_LIMIT or fault.status == 429:
        return error_answer(too_many_requests(fault.retry_after))
    title = _TITLES.get(fault.status, f"Ordered failure {fault.status}")
    return error_answer(ApiError(fault.status, title))
