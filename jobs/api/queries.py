"""Reading jobs: one with its tries and log lines, or lists by filter."""

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.access import VIEW, ReadView
from jobs.api.docs import refusals
from jobs.api.shapes import (
    JobAttemptShape,
    JobDetail,
    JobLine,
    JobLogLine,
    detail_of,
    line_of,
    logs_of,
    try_of,
)
from jobs.bulk import JobFilter
from jobs.errors import JobNotFound
from jobs.models import JobRecord
from jobs.remote.lines import lines_of
from jobs.selectors.listing import jobs_page
from jobs.selectors.story import job_tries
from lib.errors import InputInvalid

MOST = 1000  # jobs per page
_TEXTS = {
    "kind": "Exactly.",
    "queue": "Exactly.",
    "state": "As answers show it: scheduled, available, running, completed, dead or cancelled.",
    "key": "part_key, exactly.",
    "worker": "worker_id, exactly.",
    "correlation_id": "trace, exactly.",
    "error": "Part of the last error.",
}


class JobsFound(serializers.Serializer[Any]):
    items = JobLine(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    looked_to = serializers.DateTimeField(
        allow_null=True,
        help_text="Set if the search stopped before the page was full: older jobs were not looked "
        "at yet; next_cursor goes on.",
    )


class JobAttempts(serializers.Serializer[Any]):
    items = JobAttemptShape(many=True)


class JobLogs(serializers.Serializer[Any]):
    items = JobLogLine(many=True)


class JobApi(ReadView):
    """One job."""

    @extend_schema(
        operation_id="jobs_get",
        summary="Look at a job",
        description="With its tries and log lines. The result is shown for RESULT_TTL_SECONDS.",
        tags=["jobs"],
        responses={200: JobDetail, **refusals(s404="`job_not_found`")},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        job = _job(job_id)
        return Response(detail_of(job, job_tries(job), lines_of(job_id)))


class JobAttemptsApi(ReadView):
    """The tries of a job."""

    @extend_schema(
        operation_id="jobs_attempts",
        summary="List the tries of a job",
        description="Oldest first, the latest 100.",
        tags=["jobs"],
        responses={200: JobAttempts, **refusals(s404="`job_not_found`")},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response({"items": [try_of(each) for each in job_tries(_job(job_id))]})


class JobLogsApi(ReadView):
    """The log lines of a job."""

    @extend_schema(
        operation_id="jobs_logs",
        summary="List the log lines of a job",
        description="Of all tries, oldest first; at most 200 per try.",
        tags=["jobs"],
        responses={200: JobLogs, **refusals(s404="`job_not_found`")},
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response({"items": logs_of(job_tries(_job(job_id)), lines_of(job_id))})


class JobsApi(APIView):
    """Jobs by filter."""

    required_permission = VIEW

    @extend_schema(
        operation_id="jobs_list",
        summary="List jobs",
        description="Newest first. Without payloads and results, which one job shows.",
        tags=["jobs"],
        parameters=[
            *(OpenApiParameter(name, str, description=text) for name, text in _TEXTS.items()),
            OpenApiParameter("created_from", datetime),
            OpenApiParameter("created_to", datetime),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: JobsFound, **refusals(s422="`invalid`: a filter or the cursor")},
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        texts: dict[str, Any] = {name: given.get(name, "") for name in _TEXTS}
        where = JobFilter(
            **texts,
            created_from=_moment(given.get("created_from"), "created_from"),
            created_to=_moment(given.get("created_to"), "created_to"),
        )
        page = jobs_page(where, after=cursor_read(given), size=limit_read(given))
        return Response(
            {
                "items": [line_of(job) for job in page.jobs],
                "next_cursor": page.after,
                "looked_to": page.looked_to,
            }
        )


def limit_read(given: Any) -> int:
    """`limit` of a query. Raises InputInvalid."""
    raw = given.get("limit") or "50"
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 4 and 1 <= int(raw) <= MOST):
        raise _refused("limit", f"must be a whole number from 1 to {MOST}")
    return int(raw)


def cursor_read(given: Any) -> UUID | None:
    """`cursor` of a query: the id of the last job of the page before. Raises InputInvalid."""
    raw = given.get("cursor")
    if not raw:
        return None
    try:
        return UUID(raw)
    except ValueError:
        raise _refused("cursor", "is not one that we gave") from None


def _moment(raw: str | None, name: str) -> datetime | None:
    if not raw:
        return None
    try:
        moment = datetime.fromisoformat(raw.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 2000 <= moment.year <= 9000:
        raise _refused(name, "must be a moment with a time zone, for instance 2026-11-22T10:00:00Z")
    return moment


def _refused(field: str, why: str) -> InputInvalid:
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])


def _job(job_id: UUID) -> JobRecord:
    job = JobRecord.objects.filter(pk=job_id).first()
    if job is None:
        raise JobNotFound(f"there is no job {job_id}")
    return job
