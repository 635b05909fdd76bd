"""The counters of workers as Prometheus reads them, under the names of the broadcast contract."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.selectors.workers import WorkerView
from monitoring.telemetry.counting import Stage, Summary

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(summary: Summary) -> bytes:
    """The text format, version 0.0.4. Counters begin with the first job and never fall."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(summary))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, summary: Summary) -> None:
        self._summary = summary

    def collect(self) -> Iterator[Metric]:
        told = self._summary
        jobs = CounterMetricFamily("ai_worker_jobs", "Tries of jobs by status", labels=["status"])
        for status in ("started", "completed", "failed"):
            jobs.add_metric([status], getattr(told, status))
        yield jobs
        yield GaugeMetricFamily(
            "ai_worker_jobs_running", "Jobs that are leased at this moment", value=told.running
        )
        yield from _stages(told.stages)
        yield from _workers(told.workers)


def _stages(stages: Sequence[Stage]) -> Iterator[Metric]:
    average = GaugeMetricFamily(
        "ai_worker_stage_avg_ms", "Mean time of the tries that ended well", labels=["stage"]
    )
    wait = GaugeMetricFamily(
        "ai_worker_stage_wait_avg_ms", "Mean time from due to started", labels=["stage"]
    )
    jobs = CounterMetricFamily(
        "ai_worker_stage_jobs", "Tries by stage and status", labels=["stage", "status"]
    )
    for stage in stages:
        if stage.avg_ms is not None:
            average.add_metric([stage.name], round(stage.avg_ms, 3))
        if stage.wait_avg_ms is not None:
            wait.add_metric([stage.name], round(stage.wait_avg_ms, 3))
        for status in ("started", "completed", "failed"):
            jobs.add_metric([stage.name, status], getattr(stage, status))
    yield from (average, wait, jobs)


def _workers(workers: Sequence[WorkerView]) -> Iterator[Metric]:
    """Each start of a worker has an id of its own, so its counters begin at zero and never fall."""
    jobs = CounterMetricFamily(
        "ai_worker_worker_jobs",
        "Jobs of a worker of the last day by status",
        labels=["worker", "status"],
    )
    alive = GaugeMetricFamily("ai_worker_workers", "Workers by condition", labels=["condition"])
    counts = {"alive": 0, "silent": 0, "stopped": 0}
    for view in workers:
        counts[view.condition] += 1
        for status in ("started", "completed", "failed"):
            jobs.add_metric([view.worker.pk, status], getattr(view.worker, f"jobs_{status}"))
    for condition, count in counts.items():
        alive.add_metric([condition], count)
    yield from (jobs, alive)
