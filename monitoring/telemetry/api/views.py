"""Telemetry of workers over HTTP: as JSON for screens, as text for Prometheus."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.access import HasAnyPermission
from jobs.api.docs import refusals
from jobs.selectors.workers import WorkerView
from lib import durations
from lib.errors import InputInvalid
from monitoring.telemetry.counting import Stage, Summary, summary
from monitoring.telemetry.exposition import CONTENT_TYPE, exposition

READ = ("jobs.view_worker", "jobs.view_jobrecord", "config.view_metrics")
TAGS = ["telemetry"]


class TelemetryJobs(serializers.Serializer[Any]):
    started = serializers.IntegerField(help_text="Tries whose end is written.")
    completed = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Tries that were retried, gave up, or crashed.")
    running = serializers.IntegerField(help_text="Leased at this moment.")


class TelemetryStage(serializers.Serializer[Any]):
    stage = serializers.CharField(help_text="The kind of the job, and the name of its worker.")
    started = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    avg_ms = serializers.FloatField(allow_null=True, help_text="Of the tries that ended well.")
    wait_avg_ms = serializers.FloatField(allow_null=True, help_text="From due to started.")
    p95_ms = serializers.FloatField(
        allow_null=True, help_text="The upper bound of its bucket; null: five minutes or more."
    )


class TelemetryWorker(serializers.Serializer[Any]):
    id = serializers.CharField()
    condition = serializers.ChoiceField(choices=["alive", "silent", "stopped"])
    is_external = serializers.BooleanField()
    version = serializers.CharField()
    started_at = serializers.DateTimeField()
    beat_age_s = serializers.FloatField()
    rss_bytes = serializers.IntegerField()
    started = serializers.IntegerField()
    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    held = serializers.IntegerField(help_text="Leases that it holds.")


class TelemetryWorkers(serializers.Serializer[Any]):
    alive = serializers.IntegerField()
    silent = serializers.IntegerField()
    stopped = serializers.IntegerField(help_text="Within the last day.")
    jobs = TelemetryJobs()
    stages = TelemetryStage(many=True)
    items = TelemetryWorker(many=True, help_text="Of the last day, at most 200.")


class TelemetrySummary(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    window_s = serializers.FloatField(allow_null=True, help_text="Null: since ever.")
    workers = TelemetryWorkers()


_EXAMPLE = {
    "at": "2026-11-22T12:05:00Z",
    "window_s": None,
    "workers": {
        "alive": 1,
        "silent": 0,
        "stopped": 0,
        "jobs": {"started": 128_404, "completed": 128_390, "failed": 14, "running": 2},
        "stages": [
            {
                "stage": "notifications.broadcast",
                "started": 4,
                "completed": 4,
                "failed": 0,
                "avg_ms": 812.4,
                "wait_avg_ms": 3.1,
                "p95_ms": 2500.0,
            }
        ],
        "items": [
            {
                "id": "worker-1:4711:6f1c2a",
                "condition": "alive",
                "is_external": False,
                "version": "0.1.0",
                "started_at": "2026-11-22T08:00:00Z",
                "beat_age_s": 3.2,
                "rss_bytes": 104_857_600,
                "started": 64_203,
                "completed": 64_190,
                "failed": 13,
                "held": 2,
            }
        ],
    },
}
_TEXT = """# HELP ai_worker_jobs_total Tries of jobs by status
# TYPE ai_worker_jobs_total counter
ai_worker_jobs_total{status="started"} 128404.0
ai_worker_jobs_total{status="completed"} 128390.0
ai_worker_jobs_total{status="failed"} 14.0
# HELP ai_worker_stage_avg_ms Mean time of the tries that ended well
# TYPE ai_worker_stage_avg_ms gauge
ai_worker_stage_avg_ms{stage="notifications.broadcast"} 812.4
"""


class TelemetrySummaryApi(APIView):
    """What workers did, for screens."""

    permission_classes = (HasAnyPermission,)
    any_permission = READ

    @extend_schema(
        operation_id="telemetry_summary",
        summary="What workers did",
        description="Counted in the transactions that wrote the outcomes, so it is the same whichever "
        "process is asked, and right whatever was killed.",
        tags=TAGS,
        parameters=[
            OpenApiParameter(
                "window", str, description="Only the last `15m`, `1h`, ... `14d`; else since ever."
            )
        ],
        responses={200: TelemetrySummary, **refusals(s422="`invalid`: the window")},
        examples=[OpenApiExample("Since ever", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        return Response(_body(summary(_window(request.query_params.get("window")))))


class _AnyText(BaseContentNegotiation):
    """Scrapers ask for formats of their own; the one that we have suits all of them."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class TelemetryPrometheusApi(APIView):
    """What workers did, for Prometheus."""

    permission_classes = (HasAnyPermission,)
    any_permission = READ
    content_negotiation_class = _AnyText

    @extend_schema(
        operation_id="telemetry_prometheus",
        summary="What workers did, as Prometheus reads it",
        description="Text format 0.0.4. Counters never fall.",
        tags=TAGS,
        responses={
            (200, "text/plain"): OpenApiResponse(
                OpenApiTypes.STR, examples=[OpenApiExample("A scrape", _TEXT)]
            )
        },
    )
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(exposition(summary()), content_type=CONTENT_TYPE)


def _window(raw: str | None) -> timedelta | None:
    if not raw:
        return None
    try:
        return durations.parse(raw)
    except durations.DurationInvalid as exc:
        raise InputInvalid(
            f"window: {exc}.", errors=[{"field": "window", "message": str(exc)}]
        ) from None


def _body(told: Summary) -> dict[str, Any]:
    jobs = {name: getattr(told, name) for name in ("started", "completed", "failed", "running")}
    return {
        "at": told.at,
        "window_s": None if told.window is None else told.window.total_seconds(),
        "workers": {
            **{name: told.workers_in(name) for name in ("alive", "silent", "stopped")},
            "jobs": jobs,
            "stages": [_stage(stage) for stage in told.stages],
            "items": [_worker(view) for view in told.workers],
        },
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.name,
        "started": stage.started,
        "completed": stage.completed,
        "failed": stage.failed,
        "avg_ms": _rounded(stage.avg_ms),
        "wait_avg_ms": _rounded(stage.wait_avg_ms),
        "p95_ms": stage.p95_ms,
    }


def _worker(view: WorkerView) -> dict[str, Any]:
    row = view.worker
    return {
        "id": row.pk,
        "condition": view.condition,
        "is_external": row.is_external,
        "version": row.version,
        "started_at": row.started_at,
        "beat_age_s": round(view.beat_age.total_seconds(), 3),
        "rss_bytes": row.rss_bytes,
        "started": row.jobs_started,
        "completed": row.jobs_completed,
        "failed": row.jobs_failed,
        "held": view.held,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
