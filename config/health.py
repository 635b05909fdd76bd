"""Probes and scrapes: /health, /ready and /metrics.

They are answered before the host check and the redirect to TLS, since a kubelet and a Prometheus
come by address and without TLS. None of them writes a log line.
"""

import logging
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from config.api.authentication import ServiceTokenAuthentication
from config.api.problems import problem
from config.metrics import exposition
from config.middleware import Middleware

logger = logging.getLogger("switchboard.health")


def health(request: HttpRequest) -> HttpResponse:
    """Liveness: this process answers. Asks nobody else, so an outage elsewhere restarts nothing."""
    del request
    return _json({"status": "ok", "version": settings.VERSION, "pod": settings.POD_ID})


def ready(request: HttpRequest) -> HttpResponse:
    """Readiness: 200 while requests can be served, else 503. Redis away is only degraded."""
    del request
    postgres, migrations = _postgres()
    redis = "ok" if _redis_answers() else "away"
    serves = postgres == "ok" and migrations == "applied"
    status = "unavailable" if not serves else "ready" if redis == "ok" else "degraded"
    body = {"status": status, "postgres": postgres, "migrations": migrations, "redis": redis}
    return _json(body, status=200 if serves else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """The exposition; it answers for this process also while the database is away.

    For an address of METRICS_ALLOWED, a token with config.view_metrics, and with OPEN_IDENTITY.
    """
    refusal = _scrape_refused(request)
    if refusal is not None:
        return refusal
    body, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/health": health,
    "/ready": ready,
    "/metrics": metrics,
}


class ProbesMiddleware(Middleware):
    """Answers the probes, and lets everything else pass."""

    def called(self, request: HttpRequest) -> HttpResponseBase:
        view = PROBES.get(request.path)
        return view(request) if view else super().called(request)

    async def awaited(self, request: HttpRequest) -> HttpResponseBase:
        view = PROBES.get(request.path)
        if view is None:
            return await super().awaited(request)
        if view is health:
            return view(request)  # must answer also when every thread is busy
        return await sync_to_async(view)(request)


_migrated = False


def _postgres() -> tuple[str, str]:
    """("ok" | "away", "applied" | "pending" | "unknown")"""
    global _migrated  # noqa: PLW0603 - once applied, they stay applied for the life of this code
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as exc:
        logger.warning("postgres is away: %s", type(exc).__name__)
        connection.close()
        return "away", "unknown"
    return "ok", "applied" if _migrated else "pending"


def _redis_answers() -> bool:
    try:
        return bool(get_redis_connection("default").ping())
    except RedisError as exc:
        logger.warning("redis is away: %s", type(exc).__name__)
        return False


def _scrape_refused(request: HttpRequest) -> HttpResponse | None:
    if settings.OPEN_IDENTITY or _from_allowed_address(request):
        return None
    try:
        found = ServiceTokenAuthentication().authenticate(Request(request))
    except APIException as exc:
        return problem(request, 401, detail=str(exc.detail))
    except Error:
        return problem(request, 503, detail="The token cannot be checked now.")
    if found is None:
        return problem(
            request,
            401,
            detail="A token with config.view_metrics, or an address of METRICS_ALLOWED, is needed.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if not found[0].has_perm("config.view_metrics"):
        return problem(request, 403, detail="This needs the permission config.view_metrics.")
    return None


def _from_allowed_address(request: HttpRequest) -> bool:
    # A proxy on this machine comes from a loopback address too, but says that it forwards.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_ALLOWED)


def _json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    # Or Django would write an error at each probe; what is away was said once, with its reason.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
