"""Days and reports over REST: lists by key, one in full, making and sending."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from lib.errors import InputInvalid
from notifications.webhooks.api.parameters import number_read
from reports.statistics import services
from reports.statistics.api.shapes import (
    DAY_EXAMPLE,
    REPORT_EXAMPLE,
    DayOutput,
    ReportDetailOutput,
    ReportInput,
    ReportOutput,
    SendInput,
    SentOutput,
    day_out,
)
from reports.statistics.models import ReportKind
from reports.statistics.screens.listing import (
    PAGE,
    ReportFilter,
    day_get,
    days_page,
    report_get,
    reports_page,
)

TAGS = ["reports"]
VIEW_DAYS = "statistics.view_dailystat"
VIEW = "statistics.view_report"
OPERATE = "statistics.operate_report"
MOST = 400


class DaysFound(serializers.Serializer[Any]):
    items = DayOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class ReportsFound(serializers.Serializer[Any]):
    items = ReportOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class DaysApi(APIView):
    """Daily statistics."""

    required_permission = VIEW_DAYS

    @extend_schema(
        operation_id="reports_days_list",
        summary="List daily statistics",
        description="The latest day first. Days are those of UTC and are there once they are over.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("from", date, description="The first day that is wanted."),
            OpenApiParameter("to", date, description="The last day that is wanted."),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: DaysFound, **refusals(s422="`invalid`: a day, limit or cursor")},
        examples=[
            OpenApiExample(
                "One day", {"items": [DAY_EXAMPLE], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        page = days_page(
            since=_day_read(given, "from"),
            until=_day_read(given, "to"),
            after=_day_read(given, "cursor"),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        return Response(
            {
                "items": [day_out(row) for row in page.days],
                "next_cursor": None if page.after is None else str(page.after),
            }
        )


class DayApi(APIView):
    """One day."""

    required_permission = VIEW_DAYS

    @extend_schema(
        operation_id="reports_day_get",
        summary="Look at one day",
        tags=TAGS,
        responses={
            200: DayOutput,
            **refusals(s404="`not_found`: it is not computed", s422="`invalid`"),
        },
        examples=[OpenApiExample("A day", DAY_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, day: str) -> Response:
        del request
        found = _day_read({"day": day}, "day")
        assert found is not None, "the address has one"
        return Response(day_out(day_get(found)))


class ReportsApi(APIView):
    """Reports by filter; making one."""

    required_permission: ClassVar = {"GET": VIEW, "POST": OPERATE}

    @extend_schema(
        operation_id="reports_list",
        summary="List reports",
        description="Those made last first.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("kind", str, enum=ReportKind.values),
            OpenApiParameter("told", str, enum=["yes", "no"], description="Whether it was sent."),
            OpenApiParameter("from", date, description="Periods that begin on this day or later."),
            OpenApiParameter("to", date, description="Periods that begin before this day."),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", int, description="`next_cursor` of the page before."),
        ],
        responses={200: ReportsFound, **refusals(s422="`invalid`: a filter, limit or cursor")},
        examples=[
            OpenApiExample(
                "One report", {"items": [REPORT_EXAMPLE], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        page = reports_page(
            ReportFilter(
                kind=_one_of(given, "kind", ReportKind.values),
                told=_one_of(given, "told", ["yes", "no"]),
                since=_day_read(given, "from"),
                until=_day_read(given, "to"),
            ),
            after=number_read(given, "cursor"),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        return Response(
            {
                "items": ReportOutput(page.reports, many=True).data,
                "next_cursor": None if page.after is None else str(page.after),
            }
        )

    @extend_schema(
        operation_id="reports_make",
        summary="Make a report now",
        description="From the days as they are computed. Safe to repeat: one that exists is answered as it "
        "is. With `tell` a job sends it to everybody who gets it and has not had it.",
        tags=TAGS,
        request=ReportInput,
        responses={
            200: ReportDetailOutput,
            **refusals(
                s409="`day_not_over`, `report_not_possible`: no day of it is computed",
                s422="`invalid`, `period_invalid`: a week begins on a Monday",
            ),
        },
        examples=[
            OpenApiExample(
                "A week",
                {"kind": "weekly", "period": "2026-11-16", "tell": False},
                request_only=True,
            ),
            OpenApiExample(
                "It is made",
                {**REPORT_EXAMPLE, "payload": {}, "texts": {"en": ["…"], "ru": ["…"]}},
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        given = ReportInput(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        report = services.report_ask(
            kind=wanted["kind"], period=wanted["period"], is_told=wanted["tell"], by=request.user
        )
        return Response(ReportDetailOutput(report).data)


class ReportApi(APIView):
    """One report."""

    required_permission = VIEW

    @extend_schema(
        operation_id="report_get",
        summary="Look at a report",
        description="Its figures as they were told, and its text in each language.",
        tags=TAGS,
        responses={200: ReportDetailOutput, **refusals(s404="`not_found`")},
        examples=[
            OpenApiExample(
                "A report",
                {**REPORT_EXAMPLE, "payload": {}, "texts": {"en": ["…"], "ru": ["…"]}},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, report_id: int) -> Response:
        del request
        return Response(ReportDetailOutput(report_get(report_id)).data)


class ReportSendApi(APIView):
    """Sending a report again."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="report_send",
        summary="Send a report again",
        description="To one chat, or to everybody who gets it. Each call sends.",
        tags=TAGS,
        request=SendInput,
        responses={
            202: SentOutput,
            **refusals(s404="`not_found`", s409="`nobody_to_tell`", s422="`invalid`"),
        },
        examples=[
            OpenApiExample("To me", {"chat_id": 5000001, "language": "ru"}, request_only=True),
            OpenApiExample("It is queued", {"chats": 1}, response_only=True, status_codes=["202"]),
        ],
    )
    def post(self, request: Request, report_id: int) -> Response:
        given = SendInput(data=request.data)
        given.is_valid(raise_exception=True)
        made = services.report_send(
            report=report_get(report_id), by=request.user, **given.validated_data
        )
        return Response({"chats": len(made)}, status=202)


def _day_read(given: Mapping[str, str], name: str) -> date | None:
    raw = given.get(name, "")
    if not raw:
        return None
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise _refused(name, "must be a day such as 2026-11-22") from None


def _one_of(given: Mapping[str, str], name: str, words: list[str]) -> str:
    word = given.get(name, "")
    if word and word not in words:
        raise _refused(name, f"must be one of {', '.join(words)}")
    return word


def _refused(field: str, why: str) -> InputInvalid:
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])
