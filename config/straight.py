"""The whole way of a request in one thread, for addresses at which machines call again and again.

Under ASGI Django gives each request a thread of its own and changes between it and the event loop
six times: when it begins, around the view and when it ends. A webhook whose view takes 2 ms costs as
much again for that. Here it goes to a waiting thread once and passes there what it would pass under
WSGI: the same middleware, the same view, the same signals, and so the same answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import IO, Any

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.signals import request_started
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import ResolverMatch, set_script_prefix

THREADS = 8  # views wait for the database half of their time; more would only wait for each other


Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Straight:
    """An ASGI application in front of the site. paths: of views that are sync and do not stream."""

    def __init__(self, site: Any, paths: Collection[str]) -> None:
        self._site = site
        self._paths = frozenset(paths)
        self._handler = _Handler()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._paths:
            await self._handler.handle(scope, receive, send)
        else:
            await self._site(scope, receive, send)


class _Handler(ASGIHandler):
    """Django's, with the chain of middleware that WSGI has."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="straight")
        self._found: dict[str, ResolverMatch] = {}

    async def handle(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request. A caller who leaves while it is worked on gets it done all the same."""
        try:
            body = await self._whole(receive)
        except RequestAborted:
            return
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self._threads, self._answered, scope, body)
        await self.send_response(response, send)

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """The view, looked up once: the addresses are few, and stand behind a hundred others."""
        match = self._found.get(request.path_info)
        if match is None:
            match = self._found[request.path_info] = super().resolve_request(request)
        request.resolver_match = match
        return match

    async def _whole(self, receive: Receive) -> IO[bytes]:
        """The body, which mostly comes at once. Raises RequestAborted."""
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            return BytesIO(message.get("body", b""))
        return await self.read_body(_again(message, receive))

    def _answered(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response = refusal if request is None else self.get_response(request)
        assert isinstance(response, HttpResponse), "what streams has no place here"
        response.close()  # its content stays; the connection goes back, for the next request
        return response


def _again(message: Message, receive: Receive) -> Receive:
    """Receive what was received already, and then go on."""
    waiting = [message]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received
