"""How an attempt ended: completed, failed, or handed back; one by one or in batches."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.access import WorkerView
from jobs.api.batches import items_read, refusal_item
from jobs.api.docs import FENCED, GONE, refusals
from jobs.api.lines import lines_read
from jobs.api.outcome_shapes import (
    CompleteBatch,
    CompleteInput,
    Ended,
    EndedBatch,
    FailBatch,
    FailInput,
    ReleaseInput,
)
from jobs.api.tokens import token_read
from jobs.outcomes import Dead, Done, Retry, Snooze
from jobs.remote.outcomes import COMPLETE, FAIL, RELEASE, End, Settled, remote_end, remote_ends
from lib.errors import DomainError

MOST = 100  # ends per batch


_REFUSALS = refusals(s404="`job_not_found`", s409=FENCED, s410=GONE)
_EXAMPLE = "AZOlxH0-cACAAGw_HB8qEAAAAAAAAAABAB4vhKYF3u5q8N0nHk1bE2xd"
_BATCH = "Each item stands by itself: `results` has one entry per item, in order."


class CompleteApi(WorkerView):
    """The job is done."""

    max_body_bytes = 2 * 1024 * 1024

    @extend_schema(
        operation_id="worker_complete",
        summary="Complete a job",
        description="The same token again gets the same answer. A lease that has just expired is "
        "still good while nobody took the job back.",
        tags=["workers"],
        request=CompleteInput,
        responses={200: Ended, **_REFUSALS, **refusals(s413="`result_too_large`")},
        examples=[
            OpenApiExample(
                "Done", {"lease_token": _EXAMPLE, "result": {"width": 640}}, request_only=True
            )
        ],
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return Response(_ended(remote_end(_complete(job_id, request.data))))


class FailApi(WorkerView):
    """The attempt failed."""

    max_body_bytes = 2 * 1024 * 1024

    @extend_schema(
        operation_id="worker_fail",
        summary="Fail an attempt",
        description="The job is tried again after the next delay of its ladder, or retry_after_s. "
        "With the ladder used up, retryable false or dead true it is dead. A job that somebody "
        "wished to cancel is cancelled.",
        tags=["workers"],
        request=FailInput,
        responses={200: Ended, **_REFUSALS},
        examples=[
            OpenApiExample(
                "Try again in a minute",
                {
                    "lease_token": _EXAMPLE,
                    "error": {"type": "Timeout", "message": "the camera did not answer"},
                    "retry_after_s": 60,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return Response(_ended(remote_end(_fail(job_id, request.data))))


class ReleaseApi(WorkerView):
    """The worker does not do it."""

    max_body_bytes = 64 * 1024

    @extend_schema(
        operation_id="worker_release",
        summary="Hand a job back",
        description="No attempt is spent. With delay_s it waits so long.",
        tags=["workers"],
        request=ReleaseInput,
        responses={200: Ended, **_REFUSALS},
        examples=[
            OpenApiExample("Not now", {"lease_token": _EXAMPLE, "delay_s": 30}, request_only=True)
        ],
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        return Response(_ended(remote_end(_release(job_id, request.data))))


class CompleteBatchApi(WorkerView):
    """Many jobs are done."""

    @extend_schema(
        operation_id="worker_complete_batch",
        summary="Complete up to 100 jobs",
        description=_BATCH,
        tags=["workers"],
        request=CompleteBatch,
        responses={207: EndedBatch, **refusals(s422="`invalid`: no list of at most 100 items")},
    )
    def post(self, request: Request) -> Response:
        return Response(_all(request.data, _complete), status=207)


class FailBatchApi(WorkerView):
    """Many attempts failed."""

    @extend_schema(
        operation_id="worker_fail_batch",
        summary="Fail up to 100 attempts",
        description=_BATCH,
        tags=["workers"],
        request=FailBatch,
        responses={207: EndedBatch, **refusals(s422="`invalid`: no list of at most 100 items")},
    )
    def post(self, request: Request) -> Response:
        return Response(_all(request.data, _fail), status=207)


def _checked(serializer: type[serializers.Serializer[Any]], body: Any) -> dict[str, Any]:
    given = serializer(data=body)
    given.is_valid(raise_exception=True)
    data: dict[str, Any] = given.validated_data
    return data


def _complete(job_id: UUID, body: Any) -> End:
    data = _checked(CompleteInput, body)
    return End(
        token_read(data["lease_token"], job_id),
        COMPLETE,
        Done(data.get("result")),
        lines=lines_read(data.get("logs")),
        metrics=data.get("metrics"),
    )


def _fail(job_id: UUID, body: Any) -> End:
    data = _checked(FailInput, body)
    error = _error(data.get("error") or {})
    gives_up = data["dead"] or not data["retryable"]
    return End(
        token_read(data["lease_token"], job_id),
        FAIL,
        Dead(error) if gives_up else Retry(error, data.get("retry_after_s")),
        lines=lines_read(data.get("logs")),
        service_failed=data["service_failed"],
    )


def _release(job_id: UUID, body: Any) -> End:
    data = _checked(ReleaseInput, body)
    reason = data.get("reason") or "handed back by its worker"
    held = token_read(data["lease_token"], job_id)
    return End(held, RELEASE, Snooze(data["delay_s"], reason))


def _error(error: dict[str, str]) -> str:
    """As a traceback ends: where first, what last."""
    what = ": ".join(part for part in (error.get("type"), error.get("message")) if part)
    what = what or "failed without a reason"
    stack = (error.get("stack") or "").rstrip()
    return what if not stack else stack if stack.endswith(what) else f"{stack}\n{what}"


def _all(body: Any, read: Any) -> dict[str, Any]:
    items = items_read(body, "jobs", MOST)
    results: list[dict[str, Any]] = [{}] * len(items)
    ends: dict[int, End] = {}
    for index, item in enumerate(items):
        try:
            ends[index] = read(_id(item), item)
        except DomainError as exc:
            results[index] = _refused(item, exc)
        except serializers.ValidationError as exc:
            results[index] = {
                "id": item.get("id") if isinstance(item, dict) else None,
                "status": 422,
                "code": "invalid",
                "detail": "Some fields do not have the form that is asked for.",
                "errors": exc.detail,
            }
    for index, settled in zip(ends, remote_ends(list(ends.values())), strict=True):
        if isinstance(settled, DomainError):
            results[index] = _refused(items[index], settled)
        else:
            results[index] = {**_ended(settled), "status": 200}
    return {"results": results}


def _refused(item: Any, exc: DomainError) -> dict[str, Any]:
    return {"id": item.get("id") if isinstance(item, dict) else None, **refusal_item(exc)}


def _id(item: Any) -> UUID:
    class Named(serializers.Serializer[Any]):
        id = serializers.UUIDField()

    job_id: UUID = _checked(Named, item)["id"]
    return job_id


def _ended(settled: Settled) -> dict[str, Any]:
    return {
        "id": settled.job_id,
        "state": settled.state,
        "attempt": settled.attempt,
        "max_attempts": settled.max_attempts,
        "run_at": settled.run_at,
    }
