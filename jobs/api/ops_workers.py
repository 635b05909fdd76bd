"""What operators see of workers and tell them. Every act is audited."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import console
from jobs.api.access import VIEW
from jobs.api.docs import refusals
from jobs.selectors.workers import WorkerView, workers_list


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
