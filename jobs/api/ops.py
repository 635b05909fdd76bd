"""What operators see and do besides jobs: queues, schedules, breakers, workers. All audited."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import console
from jobs.api.access import VIEW
from jobs.api.docs import refusals
from jobs.api.ops_jobs import ReasonInput
from jobs.selectors.breakers import BreakerView, breakers_list
from jobs.selectors.queues import COUNTED, QueueDepth, queues_depth
from jobs.selectors.schedules import ScheduleView, schedules_list
from jobs.selectors.workers import WorkerView, workers_list
from lib import clock
from lib.errors import NotFound


class QueueShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    is_external = serializers.BooleanField(help_text="Served by outside workers.")
    paused = serializers.BooleanField()
    paused_at = serializers.DateTimeField(allow_null=True)
    paused_by = serializers.CharField(allow_null=True)
    pause_reason = serializers.CharField()
    depth = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="available, scheduled, running, blocked (behind others of their key), dead.",
    )
    depth_capped = serializers.ListField(
        child=serializers.CharField(), help_text=f"Depths that are more than {COUNTED:,}."
    )
    oldest_age_s = serializers.FloatField(help_text="Of the oldest due job.")


class QueuesFound(serializers.Serializer[Any]):
    items = QueueShape(many=True)


class QueueActed(serializers.Serializer[Any]):
    name = serializers.CharField()
    paused = serializers.BooleanField()


class ScheduleShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.CharField()
    when = serializers.CharField(help_text="In plain words.")
    every_s = serializers.FloatField(allow_null=True)
    cron = serializers.CharField()
    timezone = serializers.CharField()
    condition = serializers.CharField(help_text="active, paused, quarantined or over.")
    quarantine_reason = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True)
    last_slot_at = serializers.DateTimeField(allow_null=True)
    last_job_id = serializers.UUIDField(allow_null=True)
    last_job_state = serializers.CharField(allow_null=True)


class SchedulesFound(serializers.Serializer[Any]):
    items = ScheduleShape(many=True)


class ScheduleRan(serializers.Serializer[Any]):
    name = serializers.CharField()
    job_id = serializers.UUIDField()


class ScheduleActed(serializers.Serializer[Any]):
    name = serializers.CharField()
    paused = serializers.BooleanField()


class BreakerShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.CharField(help_text="closed, open or half_open.")
    failures = serializers.IntegerField(help_text="In a row.")
    opened_at = serializers.DateTimeField(allow_null=True)
    retry_at = serializers.DateTimeField(allow_null=True, help_text="When one call may probe.")
    last_error = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    events = serializers.ListField(child=serializers.DictField(), help_text="state, reason, at.")


class BreakersFound(serializers.Serializer[Any]):
    items = BreakerShape(many=True)


class BreakerActed(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.CharField()


class WorkerShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    condition = serializers.CharField(help_text="alive, silent (three missed beats) or stopped.")
    is_external = serializers.BooleanField()
    host = serializers.CharField()
    pid = serializers.IntegerField(allow_null=True)
    cluster = serializers.CharField()
    version = serializers.CharField()
    queues = serializers.ListField(child=serializers.CharField())
    labels = serializers.DictField()
    slots = serializers.IntegerField()
    directive = serializers.CharField(help_text="run, quiet or terminate.")
    started_at = serializers.DateTimeField()
    beat_age_s = serializers.FloatField()
    stopped_at = serializers.DateTimeField(allow_null=True)
    stop_reason = serializers.CharField()
    rss_bytes = serializers.IntegerField()
    jobs_started = serializers.IntegerField()
    jobs_completed = serializers.IntegerField()
    jobs_failed = serializers.IntegerField()
    held = serializers.IntegerField(help_text="Leases that it holds.")
    running = serializers.ListField(child=serializers.DictField(), help_text="The first five.")


class WorkersFound(serializers.Serializer[Any]):
    items = WorkerShape(many=True)


class WorkerDirected(serializers.Serializer[Any]):
    id = serializers.CharField()
    directive = serializers.CharField()


class QueuesApi(APIView):
    """All queues."""

    required_permission = VIEW

    @extend_schema(
        operation_id="ops_queues",
        summary="List queues",
        description="With their depth by state, counted up to a bound, and their oldest due job.",
        tags=["operations"],
        responses={200: QueuesFound},
    )
    def get(self, request: Request) -> Response:
        now = clock.now()
        return Response({"items": [_queue(depth, now) for depth in queues_depth()]})


class QueueActApi(APIView):
    """Pause or resume a queue."""

    required_permission = "jobs.pause_queue"
    act = ""  # comes from the address

    @extend_schema(
        tags=["operations"],
        request=ReasonInput,
        responses={200: QueueActed, **refusals(s422="`unknown_queue`")},
    )
    def post(self, request: Request, name: str) -> Response:
        given = ReasonInput(data=request.data)
        given.is_valid(raise_exception=True)
        if self.act == "pause":
            console.queue_pause(name=name, by=request.user, reason=given.validated_data["reason"])
        else:
            console.queue_resume(name=name, by=request.user)
        return Response({"name": name, "paused": self.act == "pause"})


class SchedulesApi(APIView):
    """All schedules."""

    required_permission = VIEW

    @extend_schema(
        operation_id="ops_schedules",
        summary="List schedules",
        tags=["operations"],
        responses={200: SchedulesFound},
    )
    def get(self, request: Request) -> Response:
        return Response({"items": [_schedule(view) for view in schedules_list()]})


class ScheduleRunApi(APIView):
    """Run the job of a schedule now."""

    required_permission = "jobs.operate_schedule"

    @extend_schema(
        operation_id="ops_schedule_run",
        summary="Run a schedule now",
        description="Besides its slots. While its last job still waits, that one is answered.",
        tags=["operations"],
        request=None,
        responses={201: ScheduleRan, **refusals(s404="`not_found`")},
    )
    def post(self, request: Request, name: str) -> Response:
        job_id = console.schedule_run_now(name=name, by=request.user)
        return Response({"name": name, "job_id": job_id}, status=201)


class ScheduleActApi(APIView):
    """Pause or resume a schedule."""

    required_permission = "jobs.operate_schedule"
    act = ""  # comes from the address

    @extend_schema(
        tags=["operations"],
        request=None,
        responses={200: ScheduleActed, **refusals(s404="`not_found`")},
    )
    def post(self, request: Request, name: str) -> Response:
        if self.act == "pause":
            console.schedule_pause(name=name, by=request.user)
        else:
            console.schedule_resume(name=name, by=request.user)
        return Response({"name": name, "paused": self.act == "pause"})


class BreakersApi(APIView):
    """All breakers."""

    required_permission = VIEW

    @extend_schema(
        operation_id="ops_breakers",
        summary="List breakers",
        description="Those that code names and nothing has tripped yet, too.",
        tags=["operations"],
        responses={200: BreakersFound},
    )
    def get(self, request: Request) -> Response:
        return Response({"items": [_breaker(view) for view in breakers_list()]})


class BreakerActApi(APIView):
    """Open or close a breaker."""

    required_permission = "jobs.operate_breaker"
    act = ""  # comes from the address

    @extend_schema(
        tags=["operations"],
        request=None,
        responses={200: BreakerActed, **refusals(s404="`not_found`")},
    )
    def post(self, request: Request, name: str) -> Response:
        if name not in {view.breaker.name for view in breakers_list()}:
            raise NotFound(f"there is no breaker {name!r}")
        console.breaker_set(name=name, is_open=self.act == "open", by=request.user)
        return Response({"name": name, "state": "open" if self.act == "open" else "closed"})


class WorkersApi(APIView):
    """All workers."""

    required_permission = VIEW

    @extend_schema(
        operation_id="ops_workers",
        summary="List workers",
        description="Of the last day, at most 200; those that fell silent first.",
        tags=["operations"],
        responses={200: WorkersFound},
    )
    def get(self, request: Request) -> Response:
        return Response({"items": [_worker(view) for view in workers_list()]})


class WorkerDirectApi(APIView):
    """Tell a worker what to do."""

    required_permission = "jobs.direct_worker"
    act = ""  # comes from the address

    @extend_schema(
        tags=["operations"],
        request=None,
        responses={200: WorkerDirected, **refusals(s404="`not_found`")},
    )
    def post(self, request: Request, worker_id: str) -> Response:
        console.worker_direct(worker_id=worker_id, directive=self.act, by=request.user)
        return Response({"id": worker_id, "directive": self.act})


def _queue(depth: QueueDepth, now: datetime) -> dict[str, Any]:
    depths = {
        name: getattr(depth, name)
        for name in ("available", "scheduled", "running", "blocked", "dead")
    }
    oldest = depth.oldest_due_at
    return {
        "name": depth.name,
        "is_external": depth.is_external,
        "paused": depth.paused_at is not None,
        "paused_at": depth.paused_at,
        "paused_by": depth.paused_by,
        "pause_reason": depth.pause_reason,
        "depth": {name: min(count, COUNTED) for name, count in depths.items()},
        "depth_capped": [name for name, count in depths.items() if count > COUNTED],
        "oldest_age_s": 0 if oldest is None else round((now - oldest).total_seconds(), 3),
    }


def _schedule(view: ScheduleView) -> dict[str, Any]:
    entry = view.entry
    return {
        "name": entry.name,
        "kind": entry.kind,
        "when": view.when,
        "every_s": entry.every_s,
        "cron": entry.cron,
        "timezone": entry.timezone,
        "condition": view.condition,
        "quarantine_reason": entry.quarantine_reason,
        "next_at": view.next_at,
        "last_slot_at": entry.last_slot_at,
        "last_job_id": entry.last_job_id,
        "last_job_state": view.last_job.state if view.last_job else None,
    }


def _breaker(view: BreakerView) -> dict[str, Any]:
    row = view.breaker
    return {
        "name": row.name,
        "state": row.state,
        "failures": row.failures,
        "opened_at": row.opened_at,
        "retry_at": row.retry_at,
        "last_error": row.last_error,
        "kinds": view.kinds,
        "events": [
            {"state": event.state, "reason": event.reason, "at": event.at} for event in view.events
        ],
    }


def _worker(view: WorkerView) -> dict[str, Any]:
    row = view.worker
    names = (
        "is_external", "host", "pid", "cluster", "version", "queues", "slots", "directive",
        "started_at", "stopped_at", "stop_reason", "rss_bytes", "jobs_started", "jobs_completed",
        "jobs_failed",
    )  # fmt: skip
    return {
        "id": row.pk,
        "condition": view.condition,
        **{name: getattr(row, name) for name in names},
        "labels": row.labels or {},
        "beat_age_s": round(view.beat_age.total_seconds(), 3),
        "held": view.held,
        "running": [
            {"id": job.pk, "kind": job.kind, "queue": job.queue, "started_at": job.started_at}
            for job in view.running
        ],
    }
