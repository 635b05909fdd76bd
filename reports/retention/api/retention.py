"""Retention over REST, for reading: the kinds of cleanup, and their runs."""

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from notifications.webhooks.api.parameters import MOST, number_read, refused, uuid_read
from reports.retention.api.shapes import (
    EXAMPLE_KIND,
    EXAMPLE_RUN,
    RetentionKindOutput,
    RetentionKinds,
    RetentionRunOutput,
    RetentionRuns,
)
from reports.retention.models import RunState
from reports.retention.policies import policies
from reports.retention.selectors import PAGE, RunFilter, policies_now, run_get, runs_page

TAGS = ["retention"]
VIEW = "retention.view_retentionrun"


class RetentionApi(APIView):
    """The kinds of cleanup."""

    required_permission = VIEW

    @extend_schema(
        operation_id="retention_list",
        summary="What is removed, after how long, and how it last went",
        tags=TAGS,
        responses={200: RetentionKinds},
        examples=[OpenApiExample("One of them", {"items": [EXAMPLE_KIND]}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        del request
        ours, _ = policies_now()
        return Response({"items": RetentionKindOutput(ours, many=True).data})


class RetentionRunsApi(APIView):
    """Runs by filter."""

    required_permission = VIEW

    @extend_schema(
        operation_id="retention_runs_list",
        summary="List runs of retention",
        description="Newest first. What is not given matches all.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("kind", str),
            OpenApiParameter("state", str, enum=RunState.values),
            OpenApiParameter("dry", bool, description="Only counts, or only real runs."),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: RetentionRuns, **refusals(s422="`invalid`: a filter, limit or cursor")},
        examples=[
            OpenApiExample(
                "One run", {"items": [EXAMPLE_RUN], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        dry = {"": None, "true": True, "false": False}
        if given.get("dry", "") not in dry:
            raise refused("dry", "must be true or false")
        for name, words in (
            ("kind", [each.kind for each in policies()]),
            ("state", RunState.values),
        ):
            if given.get(name, "") not in ("", *words):
                raise refused(name, f"must be one of {', '.join(words)}")
        page = runs_page(
            RunFilter(given.get("kind", ""), given.get("state", ""), dry[given.get("dry", "")]),
            after=uuid_read(given, "cursor"),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        return Response(
            {
                "items": RetentionRunOutput(page.runs, many=True).data,
                "next_cursor": None if page.after is None else str(page.after),
            }
        )


class RetentionRunApi(APIView):
    """One run."""

    required_permission = VIEW

    @extend_schema(
        operation_id="retention_run_get",
        summary="Look at a run of retention",
        tags=TAGS,
        responses={200: RetentionRunOutput, **refusals(s404="`not_found`")},
        examples=[OpenApiExample("A run that is over", EXAMPLE_RUN, response_only=True)],
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        del request
        return Response(RetentionRunOutput(run_get(run_id)).data)
