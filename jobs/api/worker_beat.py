"""Heartbeats: for one job, or for all that a worker holds."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.api.access import WorkerView
from jobs.api.docs import FENCED, GONE, refusals
from jobs.api.fields import AnyJsonField, ObjectField, SecondsField
from jobs.api.lease_shapes import WorkerInput
from jobs.api.lines import LogLineInput, lines_read
from jobs.api.outcome_shapes import TokenInput
from jobs.api.tokens import token_read
from jobs.api.worker_lease import note_of
from jobs.remote import leases
from jobs.remote.beats import Beat, remote_beat, remote_beats
from jobs.remote.workers import worker_seen
from lib.errors import DomainError

MOST = 1000  # jobs per beat of a worker
STOPPED = frozenset({"stopped", "terminated"})
_SHORTEST, _LONGEST = leases.SHORTEST.total_seconds(), leases.LONGEST.total_seconds()


class BeatInput(TokenInput):
    extend_s = SecondsField(
        least=_SHORTEST, most=_LONGEST, required=False,
        help_text="From now on; default: lease_s. A lease is never shortened.",
    )  # fmt: skip
    progress = ObjectField(required=False, allow_null=True, help_text='{"pct": 40, "msg": "..."}')
    checkpoint = AnyJsonField(
        required=False, allow_null=True, help_text="The next attempt gets it, should this one fail."
    )
    logs = LogLineInput(many=True, required=False)


class BeatKept(serializers.Serializer[Any]):
    lease_expires_at = serializers.DateTimeField()
    cancel_requested = serializers.BooleanField(help_text="Stop and fail or release the job.")
    timed_out = serializers.BooleanField(
        help_text="Its time limit is over: it ends with its lease."
    )
    directive = serializers.CharField(help_text="run, quiet or terminate.")


class WorkerBeatJob(TokenInput):
    id = serializers.UUIDField()
    progress = ObjectField(required=False, allow_null=True)


class WorkerBeatInput(serializers.Serializer[Any]):
    worker_id = serializers.CharField(max_length=120)
    worker = WorkerInput(required=False)
    state = serializers.CharField(
        required=False, default="running", max_length=40, help_text='"stopped" is the last beat.'
    )
    jobs = serializers.ListField(child=WorkerBeatJob(), required=False, max_length=MOST)


class BeatLost(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField(help_text="fenced or gone: stop working on it.")


class BeatRenewed(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    lease_expires_at = serializers.DateTimeField()
    timed_out = serializers.BooleanField()


class WorkerBeatKept(serializers.Serializer[Any]):
    directive = serializers.CharField()
    renewed = BeatRenewed(many=True)
    lost = BeatLost(many=True)
    cancel = serializers.ListField(child=serializers.UUIDField(), help_text="Stop these.")


class BeatApi(WorkerView):
    """A job is still worked on."""

    max_body_bytes = 2 * 1024 * 1024

    @extend_schema(
        operation_id="worker_beat_job",
        summary="Keep the lease of one job",
        description="At a third of lease_s. Neither the time limit of the attempt nor the deadline "
        "of the job can be passed.",
        tags=["workers"],
        request=BeatInput,
        responses={
            200: BeatKept,
            **refusals(
                s404="`job_not_found`", s409=FENCED, s410=GONE, s413="`checkpoint_too_large`"
            ),
        },
        examples=[
            OpenApiExample(
                "Half way",
                {
                    "lease_token": "AZOlxH0-cACAAGw_HB8qEAAAAAAAAAABAB4vhKYF3u5q8N0nHk1bE2xd",
                    "extend_s": 60,
                    "progress": {"pct": 50, "msg": "12 of 24 pages"},
                    "checkpoint": {"page": 12},
                    "logs": [{"level": "INFO", "message": "page 12"}],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        given = BeatInput(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        held = token_read(data["lease_token"], job_id)
        kept, directive = remote_beat(
            Beat(
                held,
                data.get("extend_s") or held.span,
                data.get("progress"),
                data.get("checkpoint"),
                lines_read(data.get("logs")),
            )
        )
        return Response(
            {
                "lease_expires_at": kept.until,
                "cancel_requested": kept.cancel_requested,
                "timed_out": kept.timed_out,
                "directive": directive,
            }
        )


class WorkerBeatApi(WorkerView):
    """A worker lives."""

    @extend_schema(
        operation_id="worker_beat",
        summary="Beat for a worker and all its jobs",
        description="Every 15 seconds, or at a third of the shortest lease_s. Each lease is extended "
        "by its lease_s. Three missed beats show the worker as silent; its jobs are given to others "
        "when their leases end, not earlier.",
        tags=["workers"],
        request=WorkerBeatInput,
        responses={200: WorkerBeatKept, **refusals(s409="`worker_id_taken`")},
        examples=[
            OpenApiExample(
                "One job",
                {
                    "worker_id": "resizer-7f9c:1:b41d",
                    "state": "running",
                    "jobs": [
                        {
                            "id": "0193a5c4-7d3e-7000-8000-6c3f1c1f2a10",
                            "lease_token": "AZOlxH0-cACAAGw_HB8qEAAAAAAAAAABAB4vhKYF3u5q8N0nHk1bE2xd",
                            "progress": {"pct": 50},
                        }
                    ],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        given = WorkerBeatInput(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        beats, foreign = [], []
        for job in {each["id"]: each for each in data.get("jobs", ())}.values():
            try:
                held = token_read(job["lease_token"], job["id"])
            except DomainError as exc:
                foreign.append({"id": job["id"], "code": "fenced" if exc.status == 409 else "gone"})
                continue
            beats.append(Beat(held, held.span, job.get("progress")))
        kept, lost = remote_beats(beats)
        reason = data["state"] if data["state"] in STOPPED else ""
        return Response(
            {
                "directive": worker_seen(note_of(data, stop_reason=reason)),
                "renewed": [
                    {
                        "id": each.job_id,
                        "lease_expires_at": each.until,
                        "timed_out": each.timed_out,
                    }
                    for each in kept
                ],
                "lost": [*foreign, *({"id": each.job_id, "code": each.code} for each in lost)],
                "cancel": [each.job_id for each in kept if each.cancel_requested],
            }
        )
