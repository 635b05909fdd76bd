"""Exports over REST: order, list, look, cancel, revoke, delete."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import StrictSerializer
from lib.errors import InputInvalid
from notifications.conversations.api.answers import answered
from reports.exports.api.shapes import (
    EXAMPLE,
    ExportEstimateInput,
    ExportEstimateOutput,
    ExportInput,
    ExportOutput,
    TypesOutput,
)
from reports.exports.models import Export, ExportState
from reports.exports.ordering import ADD, VIEW
from reports.exports.reading import Selection, rows_estimate
from reports.exports.services import (
    export_cancel,
    export_delete,
    export_get,
    export_order,
    export_revoke,
    may_export,
)
from reports.exports.sources import SOURCES, source_get

PATH = "api/v1/exports"
TAGS = ["exports"]
UNKNOWN = "`export_unknown`"
STATE = "`export_state`: not in a state in which this can be done"
OWN = "`permission_denied`: it takes exports.add_export and the permission to see such rows"
_WAITING = {
    **EXAMPLE, "state": "waiting", "rows": 0, "rows_expected": None, "bytes": 0, "sha256": "",
    "downloads": 0, "downloaded_at": None, "started_at": None, "finished_at": None,
    "expires_at": None, "link": "", "file_link": "",
}  # fmt: skip


def shown(row: Export, request: Request) -> dict[str, Any]:
    """An export as all addresses give it: with its links for whoever could have the file."""
    return dict(ExportOutput(row, context={"types": _types(request)}).data)


def _types(request: Request) -> set[str]:
    user = request.user
    if not user.has_perm(ADD):
        return set()
    return {name for name, source in SOURCES.items() if user.has_perm(source.permission)}


def _asked(request: Request, name: str, allowed: list[str]) -> str:
    value = request.query_params.get(name, "")
    if value and value not in allowed:
        why = f"must be one of {', '.join(allowed)}"
        raise InputInvalid(f"{name} {why}", errors=[{"field": name, "message": why}])
    return value


class ExportsApi(APIView):
    """All exports."""

    required_permission = {"GET": VIEW, "POST": ADD}  # noqa: RUF012 - DRF's way of class options

    @extend_schema(
        operation_id="exports_list",
        summary="List exports, newest first",
        tags=TAGS,
        parameters=[
            OpenApiParameter("type", str, enum=list(SOURCES)),
            OpenApiParameter("state", str, enum=ExportState.values),
            OpenApiParameter("mine", bool, description="Only those that you ordered."),
            OpenApiParameter("limit", int, description="1 to 1000, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: ExportOutput(many=True), **refusals(s422="`invalid`")},
        examples=[OpenApiExample("One is ready", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        rows = Export.objects.all()
        if name := _asked(request, "type", list(SOURCES)):
            rows = rows.filter(type=name)
        if state := _asked(request, "state", list(ExportState.values)):
            rows = rows.filter(state=state)
        if _asked(request, "mine", ["true", "false"]) == "true":
            rows = rows.filter(requested_by_id=request.user.pk)
        make_pages: Any = api_settings.DEFAULT_PAGINATION_CLASS
        pages = make_pages()
        context = {"types": _types(request)}
        page = pages.paginate_queryset(rows, request)
        answer: Response = pages.get_paginated_response(
            [dict(ExportOutput(row, context=context).data) for row in page]
        )
        return answer

    @extend_schema(
        operation_id="exports_order",
        summary="Order an export",
        description="A job writes the file. Watch it at `progress_url`, by `/ws/progress/<id>`, or by "
        "reading it again; with a file it is `done` and has its links.",
        tags=TAGS,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER,
                description="A repeat gets the first answer.",
            )
        ],
        request=ExportInput,
        responses={
            202: ExportOutput,
            **refusals(
                s403=OWN,
                s409="`exports_too_many`, `idempotency_in_flight`",
                s422="`invalid_export`, `invalid_filter`, `invalid`: says why",
            ),
        },
        examples=[
            OpenApiExample(
                "Paid in November, compressed",
                {
                    "type": "payments", "gzip": True, "filters": {"state": ["completed"]},
                    "since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z",
                },
                request_only=True,
            ),
            OpenApiExample("It waits", _WAITING, response_only=True, status_codes=["202"]),
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        data = ExportInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)

        def order() -> tuple[int, Any]:
            return 202, shown(export_order(**given, by=request.user), request)

        return answered(request, "exports", order)


class ExportTypesApi(APIView):
    """What there is to be exported."""

    required_permission = VIEW

    @extend_schema(
        operation_id="exports_types",
        summary="The types of exports, with their columns and filters",
        tags=TAGS,
        responses={200: TypesOutput},
    )
    def get(self, request: Request) -> Response:
        del request
        items = [
            {
                "name": source.name,
                "title": source.title,
                "permission": source.permission,
                "span": source.span,
                "columns": source.columns,
                "filters": [
                    {
                        "name": name,
                        "title": part.title,
                        "entry": part.entry,
                        "choices": [value for value, _ in part.choices()] if part.choices else [],
                    }
                    for name, part in source.parts.items()
                ],
            }
            for source in SOURCES.values()
        ]
        return Response(TypesOutput({"items": items}).data)


class ExportEstimateApi(APIView):
    """About how many rows."""

    required_permission = ADD

    @extend_schema(
        operation_id="exports_estimate",
        summary="About how many rows an export would have",
        description="Nothing is counted: it is what the planner of the database believes.",
        tags=TAGS,
        request=ExportEstimateInput,
        responses={200: ExportEstimateOutput, **refusals(s403=OWN, s422="`invalid_filter`")},
        examples=[
            OpenApiExample("All payments", {"type": "payments"}, request_only=True),
            OpenApiExample("So many", {"rows": 1204000}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = ExportEstimateInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        source = source_get(given["type"])
        may_export(request.user, source)
        selection = Selection(
            source, given.get("filters") or {}, given.get("since"), given.get("until"), (), "csv"
        )
        return Response({"rows": rows_estimate(selection)})


class ExportApi(APIView):
    """One export."""

    required_permission = {"GET": VIEW, "DELETE": VIEW}  # noqa: RUF012 - the service says the rest

    @extend_schema(
        operation_id="exports_read",
        summary="Read an export",
        tags=TAGS,
        responses={200: ExportOutput, **refusals(s404=UNKNOWN)},
        examples=[OpenApiExample("It is ready", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, export_id: UUID) -> Response:
        return Response(shown(export_get(export_id), request))

    @extend_schema(
        operation_id="exports_delete",
        summary="Delete the file of an export",
        description="It cannot be had from the moment of the answer. The row stays, as `deleted`.",
        tags=TAGS,
        responses={200: ExportOutput, **refusals(s403=OWN, s404=UNKNOWN, s409=STATE)},
        examples=[OpenApiExample("After it", {**EXAMPLE, "state": "deleted"}, response_only=True)],
    )
    def delete(self, request: Request, export_id: UUID) -> Response:
        return Response(shown(export_delete(export_id=export_id, by=request.user), request))


class Nothing(StrictSerializer):
    """No body."""


class ExportCancelApi(APIView):
    """No file comes of it."""

    required_permission = VIEW  # and its own, or exports.operate_export: the service says

    @extend_schema(
        operation_id="exports_cancel",
        summary="Cancel an export that has no file yet",
        tags=TAGS,
        request=None,
        responses={200: ExportOutput, **refusals(s403=OWN, s404=UNKNOWN, s409=STATE)},
        examples=[
            OpenApiExample("After it", {**_WAITING, "state": "cancelled"}, response_only=True)
        ],
    )
    def post(self, request: Request, export_id: UUID) -> Response:
        data = Nothing(data=request.data or {})
        data.is_valid(raise_exception=True)
        return Response(shown(export_cancel(export_id=export_id, by=request.user), request))


class ExportRevokeApi(APIView):
    """A new link."""

    required_permission = VIEW  # as above

    @extend_schema(
        operation_id="exports_revoke",
        summary="Revoke the link of an export",
        description="Links that were given out open nothing any more; the answer has a new one.",
        tags=TAGS,
        request=None,
        responses={200: ExportOutput, **refusals(s403=OWN, s404=UNKNOWN, s409=STATE)},
        examples=[OpenApiExample("After it", EXAMPLE, response_only=True)],
    )
    def post(self, request: Request, export_id: UUID) -> Response:
        data = Nothing(data=request.data or {})
        data.is_valid(raise_exception=True)
        return Response(shown(export_revoke(export_id=export_id, by=request.user), request))
