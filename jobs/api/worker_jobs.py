"""Making jobs: one, or up to 1,000 at once."""

from typing import Any

import orjson
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import errors
from jobs.api.access import ENQUEUE
from jobs.api.batches import items_read, refusal_item
from jobs.api.creation import MOST_ATTEMPTS, Wanted, job_read, queues_check
from jobs.api.docs import refusals
from jobs.api.fields import AnyJsonField, ObjectField
from jobs.api.shapes import state_shown
from jobs.enqueue import jobs_enqueue
from jobs.idempotency import Answer, answer_once
from jobs.models import JobRecord
from jobs.registry import Enqueued
from lib.errors import DomainError

MOST = 1000  # jobs per batch
_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 200 printable characters, kept for a day. The same key and body: the same "
    "answer, with `Idempotent-Replayed: true`. Another body: 422. Still at work: 409.",
)


class Unique(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=200)
    ttl = AnyJsonField(required=False, help_text="Seconds; without it, as long as the job is open.")
    states = serializers.ListField(child=serializers.CharField(), required=False)
    mode = serializers.CharField(required=False, help_text='"return" (default) or "reject".')


class DebounceInput(serializers.Serializer[Any]):
    key = serializers.CharField(required=False, help_text="Default: the payload.")
    window = AnyJsonField(help_text="Seconds of quiet before the job runs.")
    max_wait = AnyJsonField(required=False, help_text="Seconds after which it runs all the same.")


class JobInput(serializers.Serializer[Any]):
    """A job to be made. Spans are numbers of seconds, or texts such as "30s"."""

    kind = serializers.CharField()
    payload = ObjectField(required=False, help_text="Args by name; `args` is an alias. 256 kB.")
    queue = serializers.CharField(required=False, help_text="Default: that of the kind.")
    priority = serializers.IntegerField(required=False, min_value=0, max_value=3)
    part_key = serializers.CharField(
        required=False, help_text="Jobs of a key run one after the other, in their order."
    )
    unique = Unique(required=False)
    debounce = DebounceInput(required=False)
    run_at = serializers.DateTimeField(required=False)
    delay_s = serializers.FloatField(required=False, min_value=0)
    timeout_s = serializers.FloatField(required=False, help_text="Of one attempt; at most a day.")
    delays = serializers.ListField(
        child=AnyJsonField(), required=False, help_text="n delays mean n + 1 attempts, then dead."
    )
    retry_policy = AnyJsonField(required=False, help_text='A named ladder, or {"delays": [...]}.')
    max_attempts = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_ATTEMPTS, help_text="Instead of n + 1."
    )
    deadline_at = serializers.DateTimeField(
        required=False, help_text="A job that did not start by then is dead."
    )
    trace = AnyJsonField(required=False, help_text="A traceparent or an id of yours.")


class JobMade(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    deduplicated = serializers.BooleanField()
    kind = serializers.CharField(required=False)
    queue = serializers.CharField(required=False)
    priority = serializers.IntegerField(required=False)
    run_at = serializers.DateTimeField(required=False)
    max_attempts = serializers.IntegerField(required=False)


class JobsInput(serializers.Serializer[Any]):
    jobs = JobInput(many=True)


class JobMadeItem(JobMade):
    status = serializers.IntegerField()
    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)


class JobsMade(serializers.Serializer[Any]):
    results = JobMadeItem(many=True)


class WorkerJobsApi(APIView):
    """Make one job."""

    required_permission = ENQUEUE
    max_body_bytes = 1024 * 1024  # a payload of 256 kB may be written with escapes

    @extend_schema(
        operation_id="jobs_create",
        summary="Make a job",
        description="A job that is answered with 2xx is stored and will run. With `unique` or "
        "`debounce` a second call finds the first job (200).",
        tags=["jobs"],
        parameters=[_KEY],
        request=JobInput,
        responses={
            201: JobMade,
            200: JobMade,
            **refusals(
                s400="`malformed`: the body is not JSON",
                s409="`unique_conflict` (mode reject), `idempotency_in_flight`",
                s413="`args_too_large`: the payload is larger than 256 kB",
                s422="`unknown_kind`, `invalid_args`, `unknown_queue`, `invalid_option`, "
                "`idempotency_key_reused`",
                s429="`rate_limited`",
            ),
        },
        examples=[
            OpenApiExample(
                "For an outside worker",
                {
                    "kind": "external.echo",
                    "payload": {"message": "hello"},
                    "part_key": "chat:7",
                    "delays": ["30s", 60],
                },
                request_only=True,
            ),
            OpenApiExample(
                "Made",
                {
                    "id": "0193a5c4-7d3e-7000-8000-6c3f1c1f2a10",
                    "state": "available",
                    "deduplicated": False,
                    "kind": "external.echo",
                    "queue": "external",
                    "priority": 2,
                    "run_at": "2026-11-22T10:00:00Z",
                    "max_attempts": 3,
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        return _answered(request, "POST /v1/worker/jobs", lambda: _make(request.data))


class WorkerJobsBatchApi(APIView):
    """Make many jobs."""

    required_permission = ENQUEUE

    @extend_schema(
        operation_id="jobs_create_batch",
        summary="Make up to 1,000 jobs",
        description="Each stands by itself: `results` has one entry per job, in order, with the "
        "status that it would have had alone. Those that fit are made in one transaction.",
        tags=["jobs"],
        parameters=[_KEY],
        request=JobsInput,
        responses={207: JobsMade, **refusals(s422="`invalid`: no list of at most 1,000 jobs")},
        examples=[
            OpenApiExample(
                "Two jobs",
                {"jobs": [{"kind": "jobs.noop"}, {"kind": "jobs.noop", "payload": {"n": 2}}]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        jobs = items_read(request.data, "jobs", MOST)
        return _answered(request, "POST /v1/worker/jobs:batch", lambda: (207, _make_all(jobs)))


def _answered(request: Request, scope: str, act: Any) -> Response:
    answer: Answer = answer_once(
        account_id=int(request.user.pk or 0),
        scope=scope,
        key=request.headers.get("Idempotency-Key"),
        body=request.data,
        act=act,
    )
    headers = {"Idempotent-Replayed": "true"} if answer.is_repeat else None
    return Response(orjson.Fragment(answer.body), status=answer.status, headers=headers)


def _make(body: Any) -> tuple[int, dict[str, Any]]:
    wanted = job_read(body)
    for error in queues_check([wanted.spec]).values():
        raise error
    made = jobs_enqueue([wanted.spec])[0]
    item = _made(wanted, made, _states([made]))
    status = item.pop("status")
    return status, item


def _make_all(bodies: list[Any]) -> dict[str, Any]:
    results: list[dict[str, Any]] = [{}] * len(bodies)
    wanted: dict[int, Wanted] = {}
    for index, body in enumerate(bodies):
        try:
            wanted[index] = job_read(body)
        except DomainError as exc:
            results[index] = refusal_item(exc)
    unknown = queues_check([each.spec for each in wanted.values()])
    for index, each in list(wanted.items()):
        if each.spec.queue in unknown:
            results[index] = refusal_item(unknown[each.spec.queue])
            del wanted[index]
    made = jobs_enqueue([each.spec for each in wanted.values()])
    states = _states(made)
    for (index, each), one in zip(wanted.items(), made, strict=True):
        try:
            results[index] = _made(each, one, states)
        except errors.UniqueConflict as exc:
            results[index] = refusal_item(exc)
    return {"results": results}


def _states(made: list[Enqueued]) -> dict[Any, str]:
    """The states of jobs that were there before."""
    ids = [one.id for one in made if one.deduplicated]
    if not ids:
        return {}
    found = JobRecord.objects.filter(pk__in=ids).only("id", "state", "run_at")
    return {job.pk: state_shown(job) for job in found}


def _made(wanted: Wanted, made: Enqueued, states: dict[Any, str]) -> dict[str, Any]:
    spec = wanted.spec
    if made.deduplicated:
        if wanted.rejects:
            raise errors.UniqueConflict(
                f"job {made.id} holds the unique key {spec.unique_key!r}", id=str(made.id)
            )
        state = states.get(made.id, "unknown")
        return {"status": 200, "id": made.id, "state": state, "deduplicated": True}
    return {
        "status": 201,
        "id": made.id,
        "state": spec.state,
        "deduplicated": False,
        "kind": spec.kind,
        "queue": spec.queue,
        "priority": spec.priority,
        "run_at": spec.run_at,
        "max_attempts": spec.max_attempts,
    }
