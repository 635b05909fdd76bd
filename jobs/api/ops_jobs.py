"""What operators do to jobs. Every act is audited by the service that does it."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import bulk, operations
from jobs.api.access import VIEW
from jobs.api.docs import refusals
from jobs.api.fields import ObjectField, StrictSerializer
from jobs.api.queries import cursor_read, limit_read
from jobs.api.shapes import JobLine, line_of
from jobs.bulk import JobFilter, jobs_bulk
from jobs.models import JobRecord, State
from lib.errors import InputInvalid

OPERATE = "jobs.operate_job"
_MISSING = refusals(s404="`job_not_found`")


class ReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=150, default="")


class ReplayInput(serializers.Serializer[Any]):
    payload = ObjectField(required=False, help_text="Instead of the args of the job.")
    args = ObjectField(required=False, help_text="An alias of payload.")


class PriorityInput(serializers.Serializer[Any]):
    priority = serializers.IntegerField(min_value=0, max_value=3)


class JobActed(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()


class JobReplayed(JobActed):
    replay_of = serializers.UUIDField()


class JobReprioritized(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    priority = serializers.IntegerField()


class FilterInput(StrictSerializer):
    """Fields that are left out match all jobs; at least one must be given."""

    kind = serializers.CharField(required=False, allow_blank=True)
    queue = serializers.CharField(required=False, allow_blank=True)
    state = serializers.CharField(required=False, allow_blank=True)
    error = serializers.CharField(required=False, allow_blank=True, help_text="Part of it.")
    key = serializers.CharField(required=False, allow_blank=True, help_text="part_key.")
    args = ObjectField(required=False, help_text="Contained in the args of the job.")
    worker = serializers.CharField(required=False, allow_blank=True)
    correlation_id = serializers.CharField(required=False, allow_blank=True)
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=bulk.MOST, help_text="These only."
    )
    created_from = serializers.DateTimeField(required=False)
    created_to = serializers.DateTimeField(required=False)


class BulkInput(StrictSerializer):
    filter = FilterInput()
    action = serializers.CharField(help_text=f"One of {', '.join(bulk.ACTIONS)}.")
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=bulk.MOST, default=1000, help_text="Newest first."
    )
    dry_run = serializers.BooleanField(
        required=False, default=True, help_text="Count and show a sample; change nothing."
    )
    priority = serializers.IntegerField(required=False, min_value=0, max_value=3)


class Refused(serializers.Serializer[Any]):
    id = serializers.CharField()
    reason = serializers.CharField()


class BulkDone(serializers.Serializer[Any]):
    action = serializers.CharField()
    matched = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = Refused(many=True)
    sample = serializers.ListField(child=serializers.CharField(), help_text="Ids, at most 20.")
    dry_run = serializers.BooleanField()
    more = serializers.BooleanField(help_text="More match than the limit.")


class DeadFound(serializers.Serializer[Any]):
    items = JobLine(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class CancelApi(APIView):
    """Stop a job."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="ops_cancel",
        summary="Cancel a job",
        description="A waiting job never runs (`cancelled`). A running one is told and stops at its "
        "next beat (`cancelling`).",
        tags=["operations"],
        request=ReasonInput,
        responses={200: JobActed, **_MISSING, **refusals(s409="`job_not_cancellable`")},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        reason = _read(ReasonInput, request)["reason"]
        state = operations.job_cancel(job_id=job_id, by=request.user, reason=reason)
        return Response({"id": job_id, "state": state})


class RetryApi(APIView):
    """Try a job now."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="ops_retry",
        summary="Try a job now",
        description="A waiting job runs at once, a dead one starts its ladder anew.",
        tags=["operations"],
        request=None,
        responses={200: JobActed, **_MISSING, **refusals(s409="`job_not_retryable`")},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        operations.job_run_now(job_id=job_id, by=request.user)
        return Response({"id": job_id, "state": "available"})


class ReplayApi(APIView):
    """Do a job again."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="ops_replay",
        summary="Make a new job from an old one",
        description="From a dead, completed or cancelled job, with its args or edited ones. A dead "
        "one is put away as replayed.",
        tags=["operations"],
        request=ReplayInput,
        responses={201: JobReplayed, **_MISSING, **refusals(s409="`job_not_replayable`")},
        examples=[
            OpenApiExample("Edited", {"payload": {"message": "hello again"}}, request_only=True)
        ],
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        given = _read(ReplayInput, request)
        args = given.get("payload", given.get("args"))
        made = operations.job_replay(job_id=job_id, by=request.user, args=args)
        return Response({"id": made, "state": "available", "replay_of": job_id}, status=201)


class DiscardApi(APIView):
    """Put a dead job away."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="ops_discard",
        summary="Put a dead job away",
        description="It stays in the history as dead.",
        tags=["operations"],
        request=ReasonInput,
        responses={200: JobActed, **_MISSING, **refusals(s409="`job_not_replayable`: not dead")},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        reason = _read(ReasonInput, request)["reason"]
        operations.job_discard(job_id=job_id, by=request.user, reason=reason)
        return Response({"id": job_id, "state": "dead"})


class ReprioritizeApi(APIView):
    """Let a job go earlier or later."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="ops_reprioritize",
        summary="Change the priority of a waiting job",
        tags=["operations"],
        request=PriorityInput,
        responses={200: JobReprioritized, **refusals(s409="`job_not_retryable`: it does not wait")},
        examples=[OpenApiExample("Critical", {"priority": 0}, request_only=True)],
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        priority = _read(PriorityInput, request)["priority"]
        operations.job_reprioritize(job_id=job_id, priority=priority, by=request.user)
        return Response({"id": job_id, "priority": priority})


class BulkApi(APIView):
    """One act on all jobs that match."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="ops_bulk",
        summary="Act on all jobs that match a filter",
        description="Counts first: dry_run is true unless you say false. Each job stands by itself; "
        "a refusal stops no other.",
        tags=["operations"],
        request=BulkInput,
        responses={200: BulkDone, **refusals(s422="`invalid`: the action or an empty filter")},
        examples=[
            OpenApiExample(
                "Replay what a service let down",
                {
                    "filter": {"state": "dead", "kind": "external.echo", "error": "Timeout"},
                    "action": "replay",
                    "limit": 500,
                    "dry_run": False,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        given = _read(BulkInput, request)
        result = jobs_bulk(
            where=_filter(given["filter"]),
            action=given["action"],
            by=request.user,
            dry_run=given["dry_run"],
            limit=given["limit"],
            priority=given.get("priority"),
        )
        return Response(asdict(result))


class DeadApi(APIView):
    """Dead letters."""

    required_permission = VIEW

    @extend_schema(
        operation_id="ops_dead",
        summary="List dead jobs that wait for a person",
        description="Newest first. Those that were replayed or discarded are not among them.",
        tags=["operations"],
        parameters=[
            OpenApiParameter("kind", str),
            OpenApiParameter("queue", str),
            OpenApiParameter("error", str, description="Part of the last error."),
            OpenApiParameter("limit", int, description="1 to 1000, default 50."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: DeadFound},
    )
    def get(self, request: Request) -> Response:
        given, limit = request.query_params, limit_read(request.query_params)
        dead = JobRecord.objects.filter(state=State.DEAD, finished_at=None).order_by("-id")
        for name in ("kind", "queue"):
            if given.get(name):
                dead = dead.filter(**{name: given[name]})
        if given.get("error"):
            dead = dead.filter(last_error__icontains=given["error"])
        if (after := cursor_read(given)) is not None:
            dead = dead.filter(pk__lt=after)
        jobs = list(dead.defer("args", "result", "logs", "checkpoint")[: limit + 1])
        return Response(
            {
                "items": [line_of(job) for job in jobs[:limit]],
                "next_cursor": jobs[limit - 1].pk if len(jobs) > limit else None,
            }
        )


def _filter(given: dict[str, Any]) -> JobFilter:
    if "ids" in given and not given["ids"]:
        raise InputInvalid("ids is empty; leave it out to match by the other fields")
    return JobFilter(**{**given, "ids": tuple(given.get("ids", ()))})


def _read(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    data: dict[str, Any] = given.validated_data
    return data
