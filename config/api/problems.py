"""Errors as `application/problem+json` (RFC 9457), the one shape under /api, /v1 and /webhooks.

    {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "job 7 is running",
     "code": "conflict", "instance": "/v1/ops/jobs/7/retry", "correlation_id": "6f1c...",
     "errors": [{"field": "targets.0.id", "message": "..."}]}

`code` is for programs and stable, `detail` is for people and may change. `errors` comes with 422
only. A DomainError may add fields of its own, for instance `current_fence`.

    400 malformed            the body cannot be read as JSON
    401 not_authenticated    no token, or one that does not hold
    403 permission_denied    csrf_failed when a session came without its CSRF token
    404 not_found            405 method_not_allowed       406 not_acceptable
    413 too_large            415 unsupported_media_type
    422 invalid              the body was read and does not fit
    429 rate_limited         with Retry-After
    500 internal             says nothing about the inside; the log has the traceback
    503 unavailable          with Retry-After
"""

import logging
import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.views import set_rollback

from lib.context import correlation_id
from lib.errors import DomainError, Unavailable

CONTENT_TYPE = "application/problem+json"

# What a DomainError may not overwrite by a field of its own.
_OURS = frozenset({"type", "title", "status", "detail", "code", "instance", "correlation_id"})
_CODES = {
    400: "malformed",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "rate_limited",
    503: "unavailable",
}

logger = logging.getLogger("switchboard.api")


def problem(
    request: HttpRequest,
    status: int,
    *,
    detail: str,
    code: str = "",
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """An answer that says what is wrong. An empty code means the usual one of this status."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code or usual_code(status),
        "instance": request.path,
        "correlation_id": correlation_id.get(),
        **{name: value for name, value in (extra or {}).items() if name not in _OURS},
    }
    content = orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS)
    response = HttpResponse(content, status=status, content_type=CONTENT_TYPE, headers=headers)
    # Django would add a line without cause or correlation id; the request's own line says it all.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def usual_code(status: int) -> str:
    """The code of a status that came without one."""
    return _CODES.get(status, "internal" if status >= 500 else "refused")


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's EXCEPTION_HANDLER: whatever a view raises becomes a problem."""
    request: HttpRequest = context["request"]
    set_rollback()
    if isinstance(exc, DomainError):
        return _of_domain(request, exc)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied(*exc.args[:1])
    if isinstance(exc, exceptions.ValidationError):
        return problem(
            request,
            422,
            detail="Some fields do not have the form that is asked for.",
            extra={"errors": list(_field_errors(exc.detail))},
        )
    if isinstance(exc, exceptions.APIException):
        return _of_framework(request, exc)
    if isinstance(exc, OperationalError | InterfaceError):
        logger.warning("%s %s: the database is away: %s", request.method, request.path, exc)
        return _of_domain(request, Unavailable("The database cannot be reached now; try again."))
    # Not Django's own error page: with DEBUG it would be HTML with the inside of this process.
    logger.error("%s %s failed", request.method, request.path, exc_info=exc)
    got_request_exception.send(sender=None, request=request)
    return problem(request, 500, detail="An error of ours. It was logged with this correlation id.")


def _of_domain(request: HttpRequest, exc: DomainError) -> HttpResponse:
    headers = {}
    if isinstance(exc, Unavailable):
        headers["Retry-After"] = str(max(1, math.ceil(exc.retry_after.total_seconds())))
    return problem(
        request, exc.status, detail=exc.message, code=exc.code, headers=headers, extra=exc.extra
    )


def _of_framework(request: HttpRequest, exc: exceptions.APIException) -> HttpResponse:
    headers: dict[str, str] = {}
    authenticate = getattr(exc, "auth_header", None)
    if authenticate:
        headers["WWW-Authenticate"] = authenticate
    wait = getattr(exc, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    # A code that a view gave on purpose stays; the framework's own words give way to ours.
    own = exc.detail.code if isinstance(exc.detail, exceptions.ErrorDetail) else None
    code = own if own and own != exc.default_code else ""
    return problem(request, exc.status_code, detail=str(exc.detail), code=code, headers=headers)


def _field_errors(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """DRF nests messages as the input is nested; we name a field by its path: "jobs.3.kind"."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            at = path if name == "non_field_errors" else f"{path}.{name}".lstrip(".")
            yield from _field_errors(inner, at)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            # A list holds messages of one field, or the items of a list field with their own.
            nested = isinstance(inner, Mapping | list)
            yield from _field_errors(inner, f"{path}.{index}".lstrip(".") if nested else path)
    else:
        yield {"field": path, "message": str(detail)}
