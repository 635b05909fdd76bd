"""Services over REST: how they stand, how they stood, and a look now."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from lib.errors import InputInvalid
from monitoring.checks.api.shapes import (
    ServiceOutageShape,
    ServiceOutagesShape,
    ServicesAskedShape,
    ServiceShape,
    ServicesShape,
    service_body,
)
from monitoring.checks.models import ServiceOutage
from monitoring.checks.selectors.services import PAGE, outages_page, service_view, services_view
from monitoring.checks.services import services_check_ask

VIEW = "checks.view_servicecheck"
TAGS = ["services and rules"]
MOST = 500
_UNKNOWN = "`service_unknown`"
_SERVICE = {
    "name": "telegram",
    "title": "Telegram",
    "state": "down",
    "since": "2026-11-22T12:03:00Z",
    "checked_at": "2026-11-22T12:05:00Z",
    "ok_at": "2026-11-22T12:00:00Z",
    "latency_ms": 5003.2,
    "failures": 5,
    "error": "Telegram cannot be reached or does not work; nothing was delivered: timed out",
    "facts": {"bot": "@example_bot"},
    "uptime": {"day": 99.6528, "week": 99.9504, "month": 99.9884},
}
_OUTAGE = {
    "id": 4711,
    "service": "telegram",
    "kind": "down",
    "began_at": "2026-11-22T12:01:00Z",
    "ended_at": None,
    "looks": 5,
    "error": "Telegram cannot be reached or does not work; nothing was delivered: timed out",
}


class ServicesApi(APIView):
    """All services."""

    required_permission = VIEW

    @extend_schema(
        operation_id="services",
        summary="List services",
        description="All that are looked at, those that are not configured too.",
        tags=TAGS,
        responses={200: ServicesShape},
        examples=[OpenApiExample("One is down", {"items": [_SERVICE]}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        items = [ServiceShape(service_body(view)).data for view in services_view()]
        return Response({"items": items})


class ServiceApi(APIView):
    """One service."""

    required_permission = VIEW

    @extend_schema(
        operation_id="service",
        summary="Look at a service",
        tags=TAGS,
        responses={200: ServiceShape, **refusals(s404=_UNKNOWN)},
        examples=[OpenApiExample("It is down", _SERVICE, response_only=True)],
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(ServiceShape(service_body(service_view(name))).data)


class ServicesCheckApi(APIView):
    """A look now."""

    required_permission = "checks.operate_servicecheck"

    @extend_schema(
        operation_id="services_check",
        summary="Check all services now",
        description="Folds into a check that waits already.",
        tags=TAGS,
        request=None,
        responses={202: ServicesAskedShape},
        examples=[
            OpenApiExample(
                "Asked", {"job_id": "019aab2c-7f00-7000-8000-000000000001"}, response_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        return Response({"job_id": services_check_ask(by=request.user)}, status=202)


class ServiceOutagesApi(APIView):
    """When a service did not answer."""

    required_permission = VIEW

    @extend_schema(
        operation_id="service_outages",
        summary="List the outages of a service",
        description="Newest first.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("kind", str, enum=ServiceOutage.Kind.values),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={
            200: ServiceOutagesShape,
            **refusals(s404=_UNKNOWN, s422="`invalid`: a parameter"),
        },
        examples=[
            OpenApiExample(
                "One goes on", {"items": [_OUTAGE], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request, name: str) -> Response:
        service_view(name)
        given = request.query_params
        kind = given.get("kind") or ""
        if kind and kind not in ServiceOutage.Kind.values:
            raise _refused("kind", f"must be one of {', '.join(ServiceOutage.Kind.values)}")
        limit = _number(given.get("limit"), "limit", "must be a whole number from 1 to 500")
        if limit is not None and not 1 <= limit <= MOST:
            raise _refused("limit", f"must be a whole number from 1 to {MOST}")
        outages, after = outages_page(
            service=name,
            kind=kind,
            after=_number(given.get("cursor"), "cursor", "is not one that we gave"),
            size=limit or PAGE,
        )
        return Response(
            {
                "items": ServiceOutageShape(outages, many=True).data,
                "next_cursor": None if after is None else str(after),
            }
        )


def _number(raw: str | None, field: str, why: str) -> int | None:
    if not raw:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):
        raise _refused(field, why)
    return int(raw)


def _refused(field: str, why: str) -> InputInvalid:
    errors: list[dict[str, Any]] = [{"field": field, "message": why}]
    return InputInvalid(f"{field} {why}.", errors=errors)
