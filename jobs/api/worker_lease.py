"""Leasing jobs, one call for many or one known job."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import errors
from jobs.api.access import WorkerView, queues_allowed
from jobs.api.docs import refusals
from jobs.api.lease_shapes import LEASED_EXAMPLE, Leased, LeaseInput, LeaseOneInput
from jobs.api.long_poll import LongPoll, connection_rest, long_polling
from jobs.api.tokens import token_make
from jobs.models import JobRecord
from jobs.remote.leases import Granted, remote_hand_back, remote_lease, remote_lease_one
from jobs.remote.waiting import room
from jobs.remote.workers import WorkerNote, worker_counted, worker_seen

AGAIN_S = 1  # when a worker that does not wait should come again
QUIET_S = 10  # when a worker that may lease nothing should come again


class LeaseApi(WorkerView):
    """Take due jobs."""

    max_body_bytes = 64 * 1024

    @extend_schema(
        operation_id="worker_lease",
        summary="Take jobs to work on",
        description="Most urgent first; of a part_key one at a time. With wait_s the answer waits "
        "until there is a job. Outside queues need jobs.lease_job, others jobs.lease_any_queue.",
        tags=["workers"],
        request=LeaseInput,
        responses={
            200: Leased,
            204: None,
            **refusals(
                s403="`permission_denied`: not this queue",
                s409="`worker_id_taken`",
                s422="`unknown_queue`, `worker_id_invalid`, `invalid`",
                s429="`rate_limited`",
                s503="`draining`, `too_many_waiting`: ask again after Retry-After",
            ),
        },
        examples=[
            OpenApiExample(
                "Wait for a job",
                {
                    "worker_id": "resizer-7f9c:1:b41d",
                    "worker": {"host": "resizer-7f9c", "pid": 1, "slots": 4},
                    "queues": ["external"],
                    "max_jobs": 4,
                    "lease_s": 60,
                    "wait_s": 20,
                },
                request_only=True,
            ),
            LEASED_EXAMPLE,
        ],
    )
    def post(self, request: Request) -> Response:
        given = LeaseInput(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        queues = queues_allowed(request.user, data.get("queues"))
        note = note_of(data)
        if (directive := worker_seen(note, queues=queues)) != "run":
            return _told(directive)
        attempt = _Attempt(note.id, queues, data.get("kinds"), data["max_jobs"], _span(data))
        response = Response(status=204, headers={"Retry-After": str(AGAIN_S)})
        if not data["wait_s"]:
            if granted := attempt():
                _fill(response, granted)
            return response
        waiter = room.enter(queues, data.get("kinds"))  # before the first look
        is_waiting = False
        try:
            if granted := attempt():
                _fill(response, granted)
            else:
                wait_s = data["wait_s"].total_seconds()
                response.long_poll = LongPoll(waiter, wait_s, attempt, _fill)  # type: ignore[attr-defined]
                is_waiting = True
                connection_rest()
        finally:
            if not is_waiting:
                room.leave(waiter)
        return response


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One look for jobs, the same each time that a waiting caller is called."""

    worker: str
    queues: Sequence[str]
    kinds: Sequence[str] | None
    limit: int
    span: timedelta

    def __call__(self) -> list[Granted]:
        granted = remote_lease(
            queues=self.queues,
            limit=self.limit,
            worker=self.worker,
            span=self.span,
            kinds=self.kinds,
        )
        if granted:
            try:
                worker_counted(self.worker, started=len(granted))
            except BaseException:
                remote_hand_back(granted)
                raise
        return granted


class LeaseOneApi(WorkerView):
    """Take one known job."""

    max_body_bytes = 64 * 1024

    @extend_schema(
        operation_id="worker_lease_one",
        summary="Take one known job",
        description="For debugging, and for workers that are told of jobs by other means.",
        tags=["workers"],
        request=LeaseOneInput,
        responses={
            200: Leased,
            **refusals(
                s403="`permission_denied`: not this queue",
                s404="`job_not_found`",
                s409="`not_available`: it runs, waits for its time or turn, or has ended",
                s423="`queue_paused`",
            ),
        },
        examples=[LEASED_EXAMPLE],
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        given = LeaseOneInput(data=request.data)
        given.is_valid(raise_exception=True)
        queue = JobRecord.objects.filter(pk=job_id).values_list("queue", flat=True).first()
        if queue is None:
            raise errors.JobNotFound(f"there is no job {job_id}")
        queues_allowed(request.user, [queue])
        note = note_of(given.validated_data)
        if (directive := worker_seen(note)) != "run":
            return _told(directive)
        span = _span(given.validated_data)
        granted = remote_lease_one(job_id=job_id, worker=note.id, span=span)
        worker_counted(note.id, started=1)
        response = Response()
        _fill(response, [granted])
        return response


def note_of(data: dict[str, Any], *, stop_reason: str = "") -> WorkerNote:
    """What a call says about its worker."""
    said = data.get("worker") or {}
    return WorkerNote(
        id=data["worker_id"],
        host=said.get("host", ""),
        pid=said.get("pid"),
        version=said.get("version", ""),
        slots=said.get("slots", 0),
        rss_bytes=int(said.get("rss_mb", 0) * 1024 * 1024),
        labels=said.get("labels") or {},
        stop_reason=stop_reason,
    )


def _span(data: dict[str, Any]) -> timedelta:
    span: timedelta = data.get("lease_s") or settings.JOBS["lease"]
    return span


def _told(directive: str) -> Response:
    return Response({"jobs": [], "directive": directive, "poll_after_s": QUIET_S})


def _fill(response: Response, granted: Sequence[Granted]) -> None:
    response.status_code = 200
    del response.headers["Retry-After"]
    response.data = {
        "jobs": [leased_of(each) for each in granted], "directive": "run", "poll_after_s": 0,
    }  # fmt: skip


def leased_of(granted: Granted) -> dict[str, Any]:
    """A leased job on the wire; see LeasedJob."""
    lease = granted.lease
    return {
        "id": lease.id,
        "kind": lease.kind,
        "queue": lease.queue,
        "priority": lease.priority,
        "payload": orjson.Fragment(lease.args),
        "attempt": lease.attempt,
        "max_attempts": lease.max_attempts,
        "lease_token": token_make(granted.held),
        "fence": lease.fence,
        "lease_expires_at": granted.until,
        "lease_s": granted.held.span.total_seconds(),
        "timeout_s": granted.timeout_s,
        "deadline_at": granted.deadline_at,
        "part_key": lease.partition_key,
        "progress": granted.progress,
        "checkpoint": lease.checkpoint,
        "trace": lease.correlation_id or lease.id.hex,
    }


lease_view = long_polling(LeaseApi.as_view())
