"""Bulk operations over REST."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import StrictSerializer
from lib.errors import InputInvalid
from notifications.conversations.api.answers import answered
from subscriptions.api.bulk_shapes import (
    CONFIRM_HELP,
    EXAMPLE,
    ITEM_STATES,
    KINDS,
    PREVIEW_EXAMPLE,
    BulkItemOutput,
    BulkOutput,
    BulkPreviewInput,
    BulkPreviewOutput,
    BulkStartInput,
)
from subscriptions.bulk import control
from subscriptions.bulk.agreeing import agreement_check
from subscriptions.bulk.files import names_read
from subscriptions.bulk.preview import bulk_preview
from subscriptions.bulk.starting import bulk_start
from subscriptions.models import BulkItem, BulkKind, BulkOperation, BulkState

PATH = "api/v1/bulk-operations"
VIEW, OPERATE = "subscriptions.view_bulkoperation", "subscriptions.operate_bulkoperation"
MAX_BODY = 8 * 1024 * 1024  # 100,000 names
UNKNOWN = "`bulk_operation_unknown`"
STATE = "`bulk_operation_state`: not in a state in which this can be done"
NOT_BEGUN = (
    "`bulk_not_confirmed`: it would change `would_change` subscribers, which `confirm` does not say; "
    "`idempotency_in_flight`"
)
INVALID = "`invalid_selection`, `invalid_filter`, `invalid_params`, `invalid`"
_PEOPLE = ("subscriber_ids", "panel_ids", "user_uuids", "usernames", "filter")
_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="A repeat gets the first answer."
)


def shown(row: BulkOperation) -> dict[str, Any]:
    """An operation as all addresses give it."""
    return dict(BulkOutput(row).data)


def paged(request: Request, rows: QuerySet[Any], shape: Any) -> Response:
    """A page by cursor, newest first."""
    make_pages: Any = api_settings.DEFAULT_PAGINATION_CLASS
    pages = make_pages()
    found = [dict(shape(row).data) for row in pages.paginate_queryset(rows, request)]
    answer: Response = pages.get_paginated_response(found)
    return answer


def asked(request: Request, name: str, allowed: list[str]) -> str:
    """A word of the query string. Raises InputInvalid."""
    value = request.query_params.get(name, "")
    if value and value not in allowed:
        why = f"must be one of {', '.join(allowed)}"
        raise InputInvalid(f"{name} {why}", errors=[{"field": name, "message": why}])
    return value


class BulkOperationsApi(APIView):
    """All operations."""

    required_permission = {"GET": VIEW, "POST": OPERATE}  # noqa: RUF012 - DRF's way of class options
    max_body_bytes = MAX_BODY

    @extend_schema(
        operation_id="bulk_operations_list",
        summary="List bulk operations",
        tags=["subscribers"],
        parameters=[
            OpenApiParameter("state", str, enum=BulkState.values),
            OpenApiParameter("operation", str, enum=BulkKind.values),
            OpenApiParameter("limit", int, description="1 to 1000, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: BulkOutput(many=True), **refusals(s422="`invalid`")},
        examples=[OpenApiExample("One runs", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        rows = BulkOperation.objects.all()
        if state := asked(request, "state", list(BulkState.values)):
            rows = rows.filter(state=state)
        if kind := asked(request, "operation", list(BulkKind.values)):
            rows = rows.filter(kind=kind)
        return paged(request, rows, BulkOutput)

    @extend_schema(
        operation_id="bulk_operations_start",
        summary="Start a bulk operation",
        description="Duplicates are dropped; an empty list is done at once. What cuts many begins only with "
        "their number in `confirm`. Watch it at `progress_url`, by "
        "`/ws/progress/<id>` or by reading it again.",
        tags=["subscribers"],
        parameters=[_KEY],
        request=BulkStartInput,
        responses={
            202: BulkOutput,
            **refusals(s409=NOT_BEGUN, s413="`selection_too_large`", s422=INVALID),
        },
        examples=[
            OpenApiExample(
                "Everybody of a plan",
                {"operation": "extend", "params": {"days": 3}, "filter": {"plan": ["month"]}},
                request_only=True,
            ),
            OpenApiExample(
                "A list", {"operation": "disable", "usernames": ["ivan_p"]}, request_only=True
            ),
            OpenApiExample(
                "Many, whose number is said",
                {"operation": "disable", "filter": {"plan": ["trial"]}, "confirm": 1250},
                request_only=True,
            ),
            OpenApiExample("It begins", EXAMPLE, response_only=True, status_codes=["202"]),
        ],
    )
    def post(self, request: Request) -> Response:
        data = BulkStartInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        return answered(request, "bulk_operations", lambda: (202, _started(given, "api", request)))


def _started(given: dict[str, Any], source: str, request: Request) -> dict[str, Any]:
    kind, params = BulkKind(given["operation"]), given.get("params") or {}
    selection = {name: given[name] for name in _PEOPLE if name in given}
    confirm = given.get("confirm")
    meant = agreement_check(kind=kind, params=params, selection=selection, confirm=confirm)
    row = bulk_start(
        kind=kind,
        params=params,
        selection=selection,
        source=source,
        by=request.user,
        tell_telegram_id=given.get("tell_telegram_id"),
        meant=meant,
    )
    return shown(row)


class BulkPreviewApi(APIView):
    """What an operation would do."""

    required_permission = VIEW
    max_body_bytes = MAX_BODY

    @extend_schema(
        operation_id="bulk_operations_preview",
        summary="See what a bulk operation would do",
        description="Nothing is done. `left_alone` counts by reason.",
        tags=["subscribers"],
        request=BulkPreviewInput,
        responses={200: BulkPreviewOutput, **refusals(s413="`selection_too_large`", s422=INVALID)},
        examples=[
            OpenApiExample(
                "Everybody of a plan",
                {"operation": "extend", "params": {"days": 30}, "filter": {"plan": ["month"]}},
                request_only=True,
            ),
            OpenApiExample("So many", PREVIEW_EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = BulkPreviewInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        preview = bulk_preview(
            kind=BulkKind(given["operation"]),
            params=given.get("params") or {},
            selection={name: given[name] for name in _PEOPLE if name in given},
        )
        return Response(BulkPreviewOutput(preview).data)


class BulkUpload(serializers.Serializer[Any]):
    operation = serializers.ChoiceField(choices=KINDS)
    days = serializers.IntegerField(required=False, help_text="For extend.")
    confirm = serializers.IntegerField(required=False, min_value=0, help_text=CONFIRM_HELP)
    file = serializers.FileField(help_text="CSV in UTF-8 with a column username, panel_id or uuid.")


class BulkUploadApi(APIView):
    """An operation for the people of a CSV file."""

    required_permission = OPERATE
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="bulk_operations_upload",
        summary="Start a bulk operation for a CSV file",
        tags=["subscribers"],
        parameters=[_KEY],
        request={"multipart/form-data": BulkUpload},
        responses={
            202: BulkOutput,
            **refusals(s409=NOT_BEGUN, s422=f"`invalid_file`, {INVALID}"),
        },
        examples=[OpenApiExample("It begins", EXAMPLE, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request) -> Response:
        data = BulkUpload(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        named = names_read(given["file"].file)
        params = {"days": given["days"]} if "days" in given else {}
        asked_for = {"operation": given["operation"], "params": params, **named}
        asked_for |= {"confirm": given["confirm"]} if "confirm" in given else {}
        return answered(
            request,
            "bulk_operations.upload",
            lambda: (202, _started(asked_for, "csv", request)),
            body=asked_for,
        )


class BulkOperationApi(APIView):
    """One operation."""

    required_permission = VIEW

    @extend_schema(
        operation_id="bulk_operations_read",
        summary="Read a bulk operation with its numbers",
        tags=["subscribers"],
        responses={200: BulkOutput, **refusals(s404=UNKNOWN)},
        examples=[OpenApiExample("It runs", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, operation_id: UUID) -> Response:
        del request
        return Response(shown(control.bulk_get(operation_id)))


class BulkItemsApi(APIView):
    """What became of each."""

    required_permission = VIEW

    @extend_schema(
        operation_id="bulk_operations_items",
        summary="List the subscribers of a bulk operation",
        tags=["subscribers"],
        parameters=[
            OpenApiParameter("state", str, enum=ITEM_STATES),
            OpenApiParameter("limit", int, description="1 to 1000, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: BulkItemOutput(many=True), **refusals(s404=UNKNOWN, s422="`invalid`")},
    )
    def get(self, request: Request, operation_id: UUID) -> Response:
        operation = control.bulk_get(operation_id)
        rows = BulkItem.objects.filter(operation=operation)
        if state := asked(request, "state", list(ITEM_STATES)):
            rows = rows.filter(state=state)
        return paged(request, rows, BulkItemOutput)


class Nothing(StrictSerializer):
    """No body."""


def act_view(act: str, summary: str, description: str, status: int) -> type[APIView]:
    """The address of one act of subscriptions.bulk.control, with its words in the schema."""
    run = getattr(control, f"bulk_{act}")

    class BulkActApi(APIView):
        required_permission = OPERATE

        @extend_schema(
            operation_id=f"bulk_operations_{act}",
            summary=summary,
            description=description,
            tags=["subscribers"],
            request=None,
            responses={status: BulkOutput, **refusals(s404=UNKNOWN, s409=STATE)},
            examples=[OpenApiExample("After it", EXAMPLE, response_only=True)],
        )
        def post(self, request: Request, operation_id: UUID) -> Response:
            data = Nothing(data=request.data or {})
            data.is_valid(raise_exception=True)
            row = run(operation_id=operation_id, by=request.user)
            return Response(shown(row), status=status)

    return BulkActApi
