"""Batches whose job has ended and left files pending: it died of what it did, or somebody cancelled it."""

from datetime import timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from jobs.models import JobRecord, State
from lib import clock
from monitoring.files.ending import End, Outcome, end_many, lock
from monitoring.files.models import FileBatch

MOST = 200  # batches of one look
PATIENCE = timedelta(seconds=30)
OPEN = (State.SCHEDULED, State.AVAILABLE, State.RUNNING)


def orphans_end() -> int:
    """Let what is pending in them fail with the reason, so that a person sees it and may retry.

    Returns how many batches. Repeat-safe; one that somebody retries meanwhile is left alone.
    """
    unfinished = FileBatch.objects.exclude(state=FileBatch.State.FINISHED)
    batches = list(unfinished.filter(created_at__lt=clock.now() - PATIENCE).order_by("-id")[:MOST])
    jobs = {
        job.pk: job
        for job in JobRecord.objects.filter(pk__in=[each.job_id for each in batches]).only(
            "state", "last_error"
        )
    }
    ended = 0
    for batch in batches:
        job = jobs.get(batch.job_id) if batch.job_id else None
        if job is None or job.state not in OPEN:
            ended += _end(batch, job)
    return ended


def _end(batch: FileBatch, job: JobRecord | None) -> bool:
    with transaction.atomic():
        try:
            lock(batch)
        except ObjectDoesNotExist:
            return False  # somebody has just deleted the rule
        now = FileBatch.objects.get(pk=batch.pk)
        if now.state == FileBatch.State.FINISHED or now.job_id != batch.job_id:
            return False
        end_many(batch, End(Outcome.FAILED, _why(job)))
    return True


def _why(job: JobRecord | None) -> str:
    if job is None:
        return "The job that was to act on it is gone; retry the batch."
    if job.state == State.CANCELLED:
        return "The job that was to act on it was cancelled; retry the batch."
    last = (job.last_error or "").strip().rsplit("\n", 1)[-1][:300]
    said = f" ({last})" if last else ""
    return f"The job that acted on it ended as {job.state}{said}; mend the cause, then retry the batch."
