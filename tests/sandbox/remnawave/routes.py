"""/remnawave/api/...: one ASGI endpoint for the whole panel."""

import time
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from tests.sandbox.exchange import Exchange
from tests.sandbox.faults import Fault, Kind
from tests.sandbox.journal import Call
from tests.sandbox.remnawave import table
from tests.sandbox.remnawave.ask import Ask
from tests.sandbox.remnawave.errors import PanelError, malformed, no_route
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.sweeps import Sweeps
from tests.sandbox.wire import Answer, BodyTooLarge, cut, json_answer, read_body, send_answer

SERVICE = "remnawave"
PREFIX = "/remnawave"
BODY_LIMIT = 100 * 1024 * 1024
NAMING_LIMIT = 10_000  # no longer body names a single user
_TITLES = {429: "Too Many Requests", 502: "Bad Gateway", 503: "Service Unavailable"}


class PanelApi:
    """Answers every call below /remnawave."""

    def __init__(self, panel: Panel, sweeps: Sweeps, exchange: Exchange) -> None:
        self._panel = panel
        self._sweeps = sweeps
        self._exchange = exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        panel = self._panel
        self._sweeps.start()
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        path = scope["path"].removeprefix(PREFIX)
        query = scope["query_string"].decode()
        url = f"{path}?{query}" if query else path
        found = table.find_route(panel.dialect, scope["method"], path)
        call = Call(
            SERVICE, found[0].call if found else "unknown", scope["method"], url, time.time()
        )
        panel.calls.begin(call.at, call.method)
        status: int | None = None
        try:
            if panel.settings.requires_proxy_headers and not _came_by_proxy(headers):
                self._exchange.journal.add(call)
                await cut(scope, receive)
                return
            call.body = await read_body(receive, BODY_LIMIT)
            body = call.body
            status = await self._exchange.run(
                scope,
                receive,
                send,
                call=call,
                chat_id=lambda: self._user_id(found[1] if found else {}, body),
                perform=lambda: self._perform(found, call, url, query, body, headers),
                failure=lambda fault: ordered_failure(fault, url, panel.now_ms()),
            )
        except ClientDisconnect:
            return
        except BodyTooLarge:
            status = 413
            await send_answer(send, json_answer(413, {"statusCode": 413}))
        finally:
            panel.calls.end(status)

    def _perform(
        self,
        found: tuple[table.Route, dict[str, str]] | None,
        call: Call,
        url: str,
        query: str,
        body: bytes,
        headers: dict[str, str],
    ) -> Answer:
        ask = Ask(query=dict(parse_qsl(query, keep_blank_values=True)))
        panel = self._panel
        try:
            ask.body = _json(body)
            if found is None:
                raise no_route(call.http_method, url)
            route, ask.parameters = found
            action = "write" if route.is_write else "read"
            panel.tokens.check(
                headers.get("authorization"), route.resource, action, panel.clock.timestamp()
            )
            answer = route.handler(panel, ask)
        except PanelError as error:
            answer = json_answer(error.status, error.body(url, panel.now_ms()))
        if found is not None and found[0].is_write:
            panel.writes.add(
                at=call.at,
                panel_at=panel.clock.timestamp(),
                call=call.method,
                path=url,
                user_ids=tuple(ask.touched),
                body=ask.body,
                status=answer.status,
            )
            panel.revision += 1
        return answer

    def _user_id(self, parameters: dict[str, str], body: bytes) -> int | None:
        """The user whom a call names, so that faults can be ordered for him alone."""
        key: Any = parameters.get("user")
        if key is None and 0 < len(body) < NAMING_LIMIT:
            try:
                content = orjson.loads(body)
            except orjson.JSONDecodeError:
                return None
            if isinstance(content, dict):
                key = content.get("id") or content.get("uuid")
        if isinstance(key, int) or (isinstance(key, str) and key.isdecimal()):
            return int(key)
        if not isinstance(key, str) or self._panel.dialect.is_v3:
            return None
        user = self._panel.users.by_uuid(key.lower())
        return None if user is None else user.id


def routes(panel: Panel, sweeps: Sweeps, exchange: Exchange) -> list[BaseRoute]:
    return [Route(PREFIX + "/{rest:path}", PanelApi(panel, sweeps, exchange))]


def ordered_failure(fault: Fault, url: str, now_ms: int) -> Answer:
    """An ordered status: the panel's own crash for 500, else the words of a proxy before it."""
    if fault.kind is Kind.RATE_LIMIT or fault.status == 429:
        wait = (b"retry-after", str(fault.retry_after).encode())
        body = orjson.dumps({"statusCode": 429, "message": "Too Many Requests"})
        return Answer(429, body, headers=(wait,))
    if fault.status == 404:
        error = PanelError(404, {"message": "User not found", "errorCode": "A025"}, is_stamped=True)
        return json_answer(404, error.body(url, now_ms))
    title = _TITLES.get(fault.status, "Internal server error")
    return json_answer(fault.status, {"statusCode": fault.status, "message": title})


def _came_by_proxy(headers: dict[str, str]) -> bool:
    return headers.get("x-forwarded-proto") == "https" and bool(headers.get("x-forwarded-for"))


def _json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(str(error)) from None
