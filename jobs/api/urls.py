"""The addresses of the control plane. Batches end in a colon and what is done: `jobs:batch`."""

from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.views import APIView

from jobs.api import (
    ops_breakers,
    ops_jobs,
    ops_queues,
    ops_schedules,
    ops_workers,
    queries,
    scale,
    worker_beat,
    worker_jobs,
    worker_outcome,
)
from jobs.api.worker_lease import LeaseOneApi, lease_view

_JOB = "v1/worker/jobs/<uuid:job_id>"
_OPS_JOB = "v1/ops/jobs/<uuid:job_id>"


def _acts(route: str, view: type[APIView], acts: dict[str, tuple[str, str]]) -> list[URLPattern]:
    """One address per act: {act: (operation id, summary)}."""
    return [
        path(f"{route}/{act}", _named(view, operation_id, "post", summary).as_view(act=act))
        for act, (operation_id, summary) in acts.items()
    ]


def _named(view: type[APIView], operation_id: str, method: str, summary: str = "") -> type[APIView]:
    """The same view under a name of its own in the OpenAPI document."""
    own = {"operation_id": operation_id, **({"summary": summary} if summary else {})}
    named: type[APIView] = type(f"{view.__name__}_{operation_id}", (view,), {"__doc__": ""})
    extend_schema_view(**{method: extend_schema(**own)})(named)  # type: ignore[arg-type]
    return named


def _hidden(view: type[APIView]) -> Any:
    """The same view under a second address, which the OpenAPI document leaves out."""
    return view.as_view(schema=None)


urlpatterns: list[URLPattern] = [
    path("v1/worker/jobs", worker_jobs.WorkerJobsApi.as_view()),
    path("v1/worker/jobs:batch", worker_jobs.WorkerJobsBatchApi.as_view()),
    path("v1/worker/lease", lease_view),
    path("v1/worker/heartbeat", worker_beat.WorkerBeatApi.as_view()),
    path("v1/worker/jobs/complete:batch", worker_outcome.CompleteBatchApi.as_view()),
    path("v1/worker/jobs/fail:batch", worker_outcome.FailBatchApi.as_view()),
    path("v1/worker/complete:batch", _hidden(worker_outcome.CompleteBatchApi)),
    path("v1/worker/fail:batch", _hidden(worker_outcome.FailBatchApi)),
    path(_JOB, _named(queries.JobApi, "worker_job_get", "get").as_view()),
    path(
        f"{_JOB}/attempts",
        _named(queries.JobAttemptsApi, "worker_job_attempts", "get").as_view(),
    ),
    path(f"{_JOB}/logs", _named(queries.JobLogsApi, "worker_job_logs", "get").as_view()),
    path(f"{_JOB}/lease", LeaseOneApi.as_view()),
    path(f"{_JOB}/heartbeat", worker_beat.BeatApi.as_view()),
    path(f"{_JOB}/complete", worker_outcome.CompleteApi.as_view()),
    path(f"{_JOB}/fail", worker_outcome.FailApi.as_view()),
    path(f"{_JOB}/release", worker_outcome.ReleaseApi.as_view()),
    path("v1/jobs", queries.JobsApi.as_view()),
    path("v1/jobs/<uuid:job_id>", queries.JobApi.as_view()),
    path("v1/jobs/<uuid:job_id>/attempts", queries.JobAttemptsApi.as_view()),
    path("v1/jobs/<uuid:job_id>/logs", queries.JobLogsApi.as_view()),
    path("v1/scale", scale.ScaleApi.as_view()),
    path("v1/ops/jobs:bulk", ops_jobs.BulkApi.as_view()),
    path("v1/ops/dead", ops_jobs.DeadApi.as_view()),
    path(f"{_OPS_JOB}/cancel", ops_jobs.CancelApi.as_view()),
    path(f"{_OPS_JOB}/retry", ops_jobs.RetryApi.as_view()),
    path(f"{_OPS_JOB}/replay", ops_jobs.ReplayApi.as_view()),
    path(f"{_OPS_JOB}/discard", ops_jobs.DiscardApi.as_view()),
    path(f"{_OPS_JOB}/reprioritize", ops_jobs.ReprioritizeApi.as_view()),
    path("v1/ops/queues", ops_queues.QueuesApi.as_view()),
    *_acts(
        "v1/ops/queues/<str:name>",
        ops_queues.QueueActApi,
        {
            "pause": ("ops_queue_pause", "Lease nothing more from a queue"),
            "resume": ("ops_queue_resume", "Lease from a queue again"),
        },
    ),
    path("v1/ops/schedules", ops_schedules.SchedulesApi.as_view()),
    path("v1/ops/schedules/<str:name>/run", ops_schedules.ScheduleRunApi.as_view()),
    *_acts(
        "v1/ops/schedules/<str:name>",
        ops_schedules.ScheduleActApi,
        {
            "pause": ("ops_schedule_pause", "Fire no more slots of a schedule"),
            "resume": ("ops_schedule_resume", "Fire the slots of a schedule again"),
        },
    ),
    path("v1/ops/breakers", ops_breakers.BreakersApi.as_view()),
    *_acts(
        "v1/ops/breakers/<str:name>",
        ops_breakers.BreakerActApi,
        {
            "open": ("ops_breaker_open", "Open a breaker for an hour"),
            "close": ("ops_breaker_close", "Close a breaker"),
        },
    ),
    path("v1/ops/workers", ops_workers.WorkersApi.as_view()),
    *_acts(
        "v1/ops/workers/<str:worker_id>",
        ops_workers.WorkerDirectApi,
        {
            "quiet": ("ops_worker_quiet", "Tell a worker to lease no more"),
            "terminate": ("ops_worker_terminate", "Tell a worker to stop"),
            "run": ("ops_worker_run", "Let a worker lease again"),
        },
    ),
]
