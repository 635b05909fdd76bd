"""Workers: processes that run jobs, ours and outside ones. Their rows tell who lives."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import F

from jobs.models import Worker
from lib import clock

SILENT_AFTER = timedelta(seconds=45)  # three missed beats


def worker_start(
    worker_id: str,
    *,
    host: str,
    pid: int | None,
    queues: Sequence[str],
    cluster: str = "",
    is_external: bool = False,
    version: str = "",
) -> None:
    """Register a worker. Ids are unique per start, so that a reused name hides no dead worker."""
    now = clock.now()
    Worker.objects.update_or_create(
        pk=worker_id,
        defaults={
            "host": host,
            "pid": pid,
            "queues": list(queues),
            "cluster": cluster,
            "is_external": is_external,
            "version": version or settings.VERSION,
            "beat_at": now,
            "stopped_at": None,
        },
        create_defaults={
            "host": host,
            "pid": pid,
            "queues": list(queues),
            "cluster": cluster,
            "is_external": is_external,
            "version": version or settings.VERSION,
            "started_at": now,
            "beat_at": now,
        },
    )


def worker_beat(
    worker_id: str,
    *,
    rss_bytes: int = 0,
    started: int = 0,
    completed: int = 0,
    failed: int = 0,
    stop_reason: str = "",
) -> str:
    """Tell that a worker lives (or stops, and why). Returns its directive: run, quiet or terminate."""
    now = clock.now()
    changed = {
        "beat_at": now,
        "rss_bytes": rss_bytes,
        "jobs_started": started,
        "jobs_completed": completed,
        "jobs_failed": failed,
    }
    if stop_reason:
        changed |= {"stopped_at": now, "stop_reason": stop_reason}
    Worker.objects.filter(pk=worker_id).update(**changed)
    directive = Worker.objects.filter(pk=worker_id).values_list("directive", flat=True).first()
    return directive or "run"


def worker_gone(worker_id: str, reason: str) -> None:
    """Note that a worker has ended, seen by somebody else."""
    Worker.objects.filter(pk=worker_id, stopped_at=None).update(
        stopped_at=clock.now(), stop_reason=reason[:200]
    )


def external_job_counted(worker_id: str, *, completed: int = 0, failed: int = 0) -> None:
    """Count an outcome of an outside worker, which keeps no counts itself."""
    Worker.objects.filter(pk=worker_id).update(
        jobs_completed=F("jobs_completed") + completed, jobs_failed=F("jobs_failed") + failed
    )


def workers_forget(*, before: timedelta = timedelta(days=1)) -> int:
    """Delete rows of workers that ended or fell silent long ago. Returns how many."""
    deleted, _ = Worker.objects.filter(beat_at__lt=clock.now() - before).delete()
    return deleted
