"""A short way to an address that must carry thousands of requests a second.

Django's way under ASGI costs each request a change of thread and a walk through the middleware: 580
requests a second for a DRF view, on two cores with the database beside it (2026-11). The door stands
in front of the site and takes the POSTs of such an address when they are what machines send: no
cookie, no query, no wish for another language. Whatever else comes goes on to the site, to the same
view, and gets the same answer; the two ways differ in cost only.

The view is an ordinary DRF view with one more method, `post_awaited(request)`: post without waiting in
a thread. Negotiation, authentication, permissions, parsing and errors are those of the view itself.
"""

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any, Protocol, cast

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestAborted
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.locale import LocaleMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve
from django_prometheus.middleware import PrometheusAfterMiddleware, PrometheusBeforeMiddleware
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.allowance import Allowance
from config.api.callers import Callers
from config.middleware import CorrelationMiddleware


class AwaitedView(Protocol):
    """What a view needs for the door."""

    max_body_bytes: int

    async def post_awaited(self, request: Request) -> Response:
        """What `post` would answer."""


class Door:
    """An ASGI application in front of the site. views: path -> view class, an AwaitedView."""

    def __init__(self, site: ASGI3Application, views: Mapping[str, type[APIView]]) -> None:
        self._site = site
        self._views = views
        self._callers = Callers()
        self._allowance = Allowance()
        self._before = PrometheusBeforeMiddleware(_nothing)
        self._after = PrometheusAfterMiddleware(_nothing)

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        request = None
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._views:
            request = _taken(scope)
        if request is None:
            await self._site(scope, receive, send)
            return
        try:
            response = await self._answered(request, receive)
        except RequestAborted:
            return
        await _send(response, send)

    async def _answered(self, request: ASGIRequest, receive: ASGIReceiveCallable) -> HttpResponse:
        async def inside(request: HttpRequest) -> HttpResponse:
            return await self._counted(cast(ASGIRequest, request), receive)

        self._before.process_request(request)
        response = cast(HttpResponse, await CorrelationMiddleware(inside).awaited(request))
        self._before.process_response(request, response)
        return response

    async def _counted(self, request: ASGIRequest, receive: ASGIReceiveCallable) -> HttpResponse:
        view_class = self._views[request.path]
        request.resolver_match = _match(request.path)
        self._after.process_request(request)
        self._after.process_view(request, view_class, (), {})
        response = await self._viewed(view_class, request, receive)
        self._after.process_response(request, response)
        for name, value in _standing_headers(request.is_secure()):
            response.headers.setdefault(name, value)
        return response

    async def _viewed(
        self, view_class: type[APIView], http: ASGIRequest, receive: ASGIReceiveCallable
    ) -> HttpResponse:
        """What APIView.dispatch does, awaited."""
        view: Any = view_class()
        view.args, view.kwargs, view.format_kwarg = (), {}, None
        request = view.request = view.initialize_request(http)
        view.headers = view.default_response_headers
        try:
            renderer = view.perform_content_negotiation(request)
            request.accepted_renderer, request.accepted_media_type = renderer
            await self._callers.admit(view, request)
            wait_s = await self._allowance.wait_s(request)
            if wait_s is not None:
                view.throttled(request, wait_s)
            await _read(http, receive, view.max_body_bytes)
            response: HttpResponse = await view.post_awaited(request)
        except RequestAborted:
            raise
        except Exception as exc:  # noqa: BLE001 - the view knows what to say of each
            response = view.handle_exception(exc)
        response = view.finalize_response(request, response)
        return response.render() if isinstance(response, Response) else response


def _nothing(request: HttpRequest) -> HttpResponse:
    """The middleware that we ask for parts of its work wants to know what stands behind it."""
    return HttpResponse()


def _taken(scope: HTTPScope) -> ASGIRequest | None:
    """The request, or None if it goes the ordinary way."""
    if scope["query_string"] or scope.get("root_path"):
        return None
    for name, value in scope["headers"]:
        if name == b"cookie" or (name == b"accept-language" and value[:2] not in (b"en", b"*")):
            return None
    request = ASGIRequest(scope, BytesIO())
    try:
        request.get_host()
    except DisallowedHost:
        return None
    return None if settings.SECURE_SSL_REDIRECT and not request.is_secure() else request


async def _read(request: ASGIRequest, receive: ASGIReceiveCallable, most: int) -> None:
    """Give the request its body, or no more of it than the parser needs to refuse it as too large."""
    announced = request.META.get("CONTENT_LENGTH", "")
    if announced.isdigit() and int(announced) > most:
        return
    parts, size, is_whole = [], 0, False
    while not is_whole and size <= most:
        message = await receive()
        if message["type"] != "http.request":
            raise RequestAborted
        parts.append(message["body"])
        size += len(parts[-1])
        is_whole = not message.get("more_body")
    request._stream = BytesIO(b"".join(parts))  # noqa: SLF001 - where ASGIRequest keeps it
    request.META["CONTENT_LENGTH"] = str(size)  # a body in chunks comes without


@cache
def _match(path: str) -> ResolverMatch:
    return resolve(path)


@cache
def _standing_headers(is_secure: bool) -> list[tuple[str, str]]:
    """What the middleware adds to every answer, asked of the middleware itself."""
    scheme = "https" if is_secure else "http"
    request = ASGIRequest(
        {"type": "http", "method": "POST", "path": "/", "scheme": scheme, "headers": []}, BytesIO()
    )
    response: Any = HttpResponse()
    del response.headers["Content-Type"]
    for middleware in (
        XFrameOptionsMiddleware,
        LocaleMiddleware,
        CSPMiddleware,
        SecurityMiddleware,
    ):
        response = middleware(_nothing).process_response(request, response)
    return list(response.items())


async def _send(response: HttpResponse, send: ASGISendCallable) -> None:
    response.headers.setdefault("Content-Length", str(len(response.content)))
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": headers,
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": response.content, "more_body": False})
