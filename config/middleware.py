"""What every HTTP request goes through, besides what Django brings."""

import logging
import re
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import LazyObject

from lib.context import correlated

HEADER = "X-Correlation-ID"
QUIET_PATHS = frozenset({"/health", "/ready", "/metrics"})

# What a caller may choose ends up in log lines and job rows, so it is short and has no blanks.
_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}", re.ASCII)
# W3C Trace Context, level 1: version, trace id, parent id, flags.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

logger = logging.getLogger("switchboard.request")


class Middleware:
    """What ours have in common: `called` serves WSGI, `awaited` serves ASGI."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self.awaited(request) if self.is_async else self.called(request)

    def called(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, under WSGI."""
        return cast(HttpResponseBase, self.get_response(request))

    async def awaited(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, under ASGI."""
        return await cast(Awaitable[HttpResponseBase], self.get_response(request))


class OneHopMiddleware(Middleware):
    """Keeps a request in one thread. It is the last of the chain and can only be called, never awaited.

    Our views are sync. Under ASGI each middleware of Django that touches the database or the session
    would go to a thread and come back on its own; behind this one, all of them and the view share
    one trip (a page took 4.1 ms instead of 6.3 ms, 2026-11). An async view still works.
    """

    async_capable = False


class CorrelationMiddleware(Middleware):
    """Gives each request its correlation id and its one line in the log.

    The id is taken from X-Correlation-ID, X-Request-ID or traceparent when it is well-formed, and
    is answered in X-Correlation-ID. Probes, scrapes and static files write no line.
    """

    def called(self, request: HttpRequest) -> HttpResponseBase:
        with correlated(incoming_id(request)) as value:
            began = perf_counter()
            return _finished(request, super().called(request), value, began)

    async def awaited(self, request: HttpRequest) -> HttpResponseBase:
        with correlated(incoming_id(request)) as value:
            began = perf_counter()
            return _finished(request, await super().awaited(request), value, began)


def incoming_id(request: HttpRequest) -> str:
    """The id that the caller gave, or an empty text if it gave none that we can use."""
    for name in (HEADER, "X-Request-ID"):
        value = request.headers.get(name, "")
        if _WELL_FORMED.fullmatch(value):
            return value
    trace = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return trace[1] if trace else ""


def _finished(
    request: HttpRequest, response: HttpResponseBase, correlation_id: str, began: float
) -> HttpResponseBase:
    response[HEADER] = correlation_id
    if request.path in QUIET_PATHS or request.path.startswith(settings.STATIC_URL):
        return response
    line: dict[str, Any] = {
        "method": request.method,
        "path": request.path,  # without the query: it may hold a ticket or a signature
        "status": response.status_code,
        "duration_ms": round((perf_counter() - began) * 1000, 1),
        "user_id": _known_user_id(request),
    }
    level = logging.WARNING if response.status_code >= 500 else logging.INFO
    logger.log(level, "%s %s %s", request.method, request.path, response.status_code, extra=line)
    return response


def _known_user_id(request: HttpRequest) -> int | None:
    """The account, if the request had to find out who it is; a log line is not worth a query."""
    user = request.__dict__.get("user")
    if user is None or isinstance(user, LazyObject):
        user = request.__dict__.get("_cached_user")
    return getattr(user, "pk", None)
