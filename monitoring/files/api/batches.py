"""Batches and files over REST: what changed, and what became of it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from monitoring.files.api.queries import (
    CURSOR,
    LIMIT,
    limit_read,
    number_read,
    uuid_read,
    word_read,
)
from monitoring.files.api.shapes import (
    FileBatches,
    FileBatchShape,
    FileEvents,
    FileEventShape,
    FileRetried,
    WatchedFiles,
    WatchedFileShape,
    batch_body,
)
from monitoring.files.errors import BatchUnknown
from monitoring.files.models import FileBatch, FileEvent, WatchedFile
from monitoring.files.selectors.batches import (
    FAILED,
    FINISHED,
    OPEN,
    batch_view,
    batches_page,
    events_page,
    files_page,
)
from monitoring.files.services import batch_retry

VIEW = "files.view_filebatch"
TAGS = ["file-watch"]
_STATES = [OPEN, FAILED, FINISHED]
_OUTCOMES = [str(each) for each in FileEvent.Outcome.values]
_FILE_STATES = [str(each) for each in WatchedFile.State.values]
_UNKNOWN = "`batch_unknown`"
_PARAMETER = "`invalid`: a parameter"
_RULE = OpenApiParameter("rule", int, description="Of this rule only.")
_BATCH = {
    "id": "019aab2c-7f00-7000-8000-000000000001",
    "rule_id": 1,
    "rule_name": "Imports of the shop",
    "state": "finished",
    "total": 2,
    "pending": 0,
    "done": 1,
    "failed": 1,
    "skipped": 0,
    "added": 2,
    "modified": 0,
    "moved": 0,
    "deleted": 0,
    "accepted": 1200,
    "rejected": 12,
    "job_id": "019aab2c-7f00-7000-8000-000000000002",
    "opened_at": "2026-11-22T12:00:00Z",
    "created_at": "2026-11-22T12:00:01Z",
    "started_at": "2026-11-22T12:00:01Z",
    "finished_at": "2026-11-22T12:00:03Z",
}


class FileBatchesApi(APIView):
    """All batches."""

    required_permission = VIEW

    @extend_schema(
        operation_id="file_batches",
        summary="List batches of changed files",
        description="Newest first.",
        tags=TAGS,
        parameters=[_RULE, OpenApiParameter("state", str, enum=_STATES), LIMIT, CURSOR],
        responses={200: FileBatches, **refusals(s422=_PARAMETER)},
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        views, after = batches_page(
            rule_id=number_read(given, "rule"),
            state=word_read(given, "state", _STATES),
            after=uuid_read(given, "cursor"),
            size=limit_read(given),
        )
        items = [FileBatchShape(batch_body(view)).data for view in views]
        return Response({"items": items, "next_cursor": after and str(after)})


class FileBatchApi(APIView):
    """One batch."""

    required_permission = VIEW

    @extend_schema(
        operation_id="file_batch",
        summary="Look at a batch",
        tags=TAGS,
        responses={200: FileBatchShape, **refusals(s404=_UNKNOWN)},
        examples=[OpenApiExample("One of two failed", _BATCH, response_only=True)],
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        return Response(FileBatchShape(batch_body(batch_view(_get(batch_id)))).data)


class FileBatchFilesApi(APIView):
    """The files of a batch."""

    required_permission = VIEW

    @extend_schema(
        operation_id="file_batch_files",
        summary="List the files of a batch",
        description="Each with its outcome and the reason, in the order in which they were recorded.",
        tags=TAGS,
        parameters=[OpenApiParameter("outcome", str, enum=_OUTCOMES), LIMIT, CURSOR],
        responses={200: FileEvents, **refusals(s404=_UNKNOWN, s422=_PARAMETER)},
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        given = request.query_params
        events, after = events_page(
            batch=_get(batch_id),
            outcome=word_read(given, "outcome", _OUTCOMES),
            after=number_read(given, "cursor") or 0,
            size=limit_read(given),
        )
        return Response(_page(FileEventShape(events, many=True).data, after))


class FileBatchRetryApi(APIView):
    """Try what failed again."""

    required_permission = "files.operate_rule"

    @extend_schema(
        operation_id="file_batch_retry",
        summary="Try the failed files of a batch again",
        tags=TAGS,
        request=None,
        responses={202: FileRetried, **refusals(s404=_UNKNOWN, s409="`batch_not_failed`")},
    )
    def post(self, request: Request, batch_id: UUID) -> Response:
        return Response({"files": batch_retry(batch_id=batch_id, by=request.user)}, status=202)


class WatchedFilesApi(APIView):
    """The index."""

    required_permission = "files.view_watchedfile"

    @extend_schema(
        operation_id="watched_files",
        summary="List watched files",
        tags=TAGS,
        parameters=[
            _RULE,
            OpenApiParameter("state", str, enum=_FILE_STATES),
            OpenApiParameter("path", str, description="How the path begins."),
            LIMIT,
            CURSOR,
        ],
        responses={200: WatchedFiles, **refusals(s422=_PARAMETER)},
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        files, after = files_page(
            rule_id=number_read(given, "rule"),
            state=word_read(given, "state", _FILE_STATES),
            wanted=given.get("path", "").replace("\x00", ""),
            after=number_read(given, "cursor"),
            size=limit_read(given),
        )
        return Response(_page(WatchedFileShape(files, many=True).data, after))


def _page(items: Any, after: int | None) -> dict[str, Any]:
    return {"items": items, "next_cursor": None if after is None else str(after)}


def _get(batch_id: UUID) -> FileBatch:
    batch = FileBatch.objects.select_related("rule").filter(pk=batch_id).first()
    if batch is None:
        raise BatchUnknown(f"there is no batch {batch_id}")
    return batch
