"""Workers as operators see them: alive, silent or stopped, and what each one runs now."""

from dataclasses import dataclass, field
from datetime import timedelta

from jobs.models import Job, State, Worker
from jobs.workers import SILENT_AFTER
from lib import clock

SHOWN = 200
RUNNING_SHOWN = 5  # per worker


@dataclass(slots=True)
class WorkerView:
    """A worker, how long ago it beat, and the first jobs that it holds leases of."""

    worker: Worker
    condition: str  # alive, silent, stopped
    beat_age: timedelta
    running: list[Job] = field(default_factory=list)
    held: int = 0  # leases, those that only wait in its pocket too


def workers_list() -> list[WorkerView]:
    """The workers of the last day: the living first, the latest beat first. Two queries."""
    now = clock.now()
    views = [
        WorkerView(worker, _condition(worker, now - worker.beat_at), now - worker.beat_at)
        for worker in Worker.objects.order_by("-beat_at")[:SHOWN]
    ]
    by_id = {view.worker.pk: view for view in views if view.condition != "stopped"}
    leased = (
        Job.objects.filter(state=State.RUNNING, worker__in=list(by_id))
        .only("id", "kind", "worker", "started_at", "queue")
        .order_by("started_at", "id")[:2000]
    )
    for job in leased:
        view = by_id[str(job.worker)]
        view.held += 1
        if len(view.running) < RUNNING_SHOWN:
            view.running.append(job)
    order = {"silent": 0, "alive": 1, "stopped": 2}
    return sorted(views, key=lambda view: order[view.condition])


def _condition(worker: Worker, beat_age: timedelta) -> str:
    if worker.stopped_at:
        return "stopped"
    return "silent" if beat_age > SILENT_AFTER else "alive"


def workers_silent() -> int:
    """How many workers neither beat nor said that they stop."""
    return Worker.objects.filter(stopped_at=None, beat_at__lt=clock.now() - SILENT_AFTER).count()
