"""Broadcasts over REST: write, read, edit."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from jobs.api.docs import refusals
from lib.errors import InputInvalid
from notifications.broadcasts.api.shapes import (
    EXAMPLE,
    BroadcastCreateInput,
    BroadcastEditInput,
    BroadcastOutput,
)
from notifications.broadcasts.models import Broadcast, Status
from notifications.broadcasts.selectors import broadcast_get, broadcasts
from notifications.broadcasts.services import broadcast_create, broadcast_edit

PATH = "v1/admin/notifications/broadcasts"
VIEW, ADD, CHANGE = (f"broadcasts.{verb}_broadcast" for verb in ("view", "add", "change"))
SEND = "broadcasts.send_broadcast"
UNKNOWN = "`broadcast_unknown`"
_INVALID = "`invalid`, `invalid_audience`: `errors` says which field and why"


def shown(row: Broadcast) -> dict[str, Any]:
    """A broadcast as all operations give it."""
    return dict(BroadcastOutput(row).data)


class BroadcastsApi(APIView):
    """All broadcasts."""

    required_permission = {"GET": VIEW, "POST": ADD}  # noqa: RUF012 - DRF's way of class options
    max_body_bytes = 2 * 1024 * 1024  # 100,000 explicit ids

    @extend_schema(
        operation_id="broadcasts_list",
        summary="List broadcasts",
        tags=["broadcasts"],
        parameters=[
            OpenApiParameter("status", str, enum=Status.values),
            OpenApiParameter("limit", int, description="1 to 1000, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={
            200: BroadcastOutput(many=True),
            **refusals(s422="`invalid`: limit, cursor, status"),
        },
        examples=[OpenApiExample("One is scheduled", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        found = broadcasts()
        if status := request.query_params.get("status"):
            if status not in Status.values:
                why = f"must be one of {', '.join(Status.values)}"
                raise InputInvalid(f"status {why}", errors=[{"field": "status", "message": why}])
            found = found.filter(status=status)
        make_pages: Any = api_settings.DEFAULT_PAGINATION_CLASS
        pages = make_pages()
        shown_rows = [shown(row) for row in pages.paginate_queryset(found, request)]
        answer: Response = pages.get_paginated_response(shown_rows)
        return answer

    @extend_schema(
        operation_id="broadcasts_create",
        summary="Create a broadcast",
        description="Without `scheduled_at` it is a draft, which `send-now` or `schedule` starts; with it, "
        "it starts by itself. A moment that is over means now.",
        tags=["broadcasts"],
        request=BroadcastCreateInput,
        responses={201: BroadcastOutput, **refusals(s422=_INVALID)},
        examples=[
            OpenApiExample(
                "To everybody, at noon",
                {
                    "title": "Feature launch",
                    "body": "We are live!",
                    "created_by": "ops",
                    "audience": {"type": "all_users"},
                    "scheduled_at": "2025-09-26T12:00:00Z",
                },
                request_only=True,
            ),
            OpenApiExample("Scheduled", EXAMPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        data = BroadcastCreateInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        if given.get("scheduled_at") is not None and not request.user.has_perm(SEND):
            self.permission_denied(request, f"To schedule it needs the permission {SEND}.")
        row = broadcast_create(**given, by=request.user)
        return Response(shown(row), status=201, headers={"Location": f"/{PATH}/{row.pk}"})


class BroadcastApi(APIView):
    """One broadcast."""

    required_permission = {"GET": VIEW, "PATCH": CHANGE}  # noqa: RUF012 - DRF's way of class options
    max_body_bytes = 2 * 1024 * 1024

    @extend_schema(
        operation_id="broadcasts_read",
        summary="Read a broadcast with its numbers",
        tags=["broadcasts"],
        responses={200: BroadcastOutput, **refusals(s404=UNKNOWN)},
        examples=[OpenApiExample("Scheduled", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, broadcast_id: UUID) -> Response:
        del request
        return Response(shown(broadcast_get(broadcast_id)))

    @extend_schema(
        operation_id="broadcasts_edit",
        summary="Edit a draft",
        description="Of one that is paused the texts can be changed. What is not given stays. Whatever "
        "is no draft goes out without another word: it takes the permission to send as well.",
        tags=["broadcasts"],
        request=BroadcastEditInput,
        responses={
            200: BroadcastOutput,
            **refusals(s404=UNKNOWN, s409="`broadcast_state`, `broadcast_changed`", s422=_INVALID),
        },
        examples=[
            OpenApiExample(
                "Another text", {"body": "We are live now!", "version": 1}, request_only=True
            ),
            OpenApiExample("Edited", {**EXAMPLE, "version": 2}, response_only=True),
        ],
    )
    def patch(self, request: Request, broadcast_id: UUID) -> Response:
        data = BroadcastEditInput(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        goes_out = broadcast_get(broadcast_id).status != Status.DRAFT
        if goes_out and not request.user.has_perm(SEND):
            self.permission_denied(request, f"It goes out by itself: this needs {SEND}.")
        return Response(
            shown(broadcast_edit(broadcast_id=broadcast_id, by=request.user, **data.validated_data))
        )
