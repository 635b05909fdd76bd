"""Schedules as operators see them: when in plain words, next and last."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django_q.models import Schedule

from jobs import crons
from jobs.models import JobRecord, ScheduleEntry, ScheduleFire
from jobs.registry import kind_find
from jobs.selectors.listing import COLUMNS

SHOWN = 500


@dataclass(slots=True)
class ScheduleView:
    """A schedule. `condition`: active, paused, quarantined or over (it runs no more)."""

    entry: ScheduleEntry
    when: str
    summary: str
    condition: str
    next_at: datetime | None
    last_job: JobRecord | None = None


def schedules_list() -> list[ScheduleView]:
    """All schedules by name, those in trouble first. Two queries."""
    entries = list(ScheduleEntry.objects.select_related("schedule").order_by("name")[:SHOWN])
    views = [_view(entry) for entry in entries]
    jobs = _jobs([entry.last_job_id for entry in entries])
    for view in views:
        if view.entry.last_job_id:
            view.last_job = jobs.get(view.entry.last_job_id)
    return sorted(views, key=lambda view: view.condition != "quarantined")


def schedule_view(entry: ScheduleEntry) -> ScheduleView:
    """One schedule. One query if it has run."""
    view = _view(entry)
    if entry.last_job_id:
        view.last_job = _jobs([entry.last_job_id]).get(entry.last_job_id)
    return view


def schedules_unfired() -> list[Schedule]:
    """Rows of third parties that have not fired yet; the first time makes their entry."""
    return list(Schedule.objects.filter(entry=None).order_by("next_run")[:SHOWN])


@dataclass(frozen=True, slots=True)
class Fire:
    """A slot that was fired, and the job that it made (None: no longer in the history)."""

    slot_at: datetime
    fired_at: datetime
    job_id: UUID
    job: JobRecord | None


def schedule_fires(entry: ScheduleEntry, *, limit: int = 20) -> list[Fire]:
    """The latest slots, newest first. Two queries."""
    rows = list(ScheduleFire.objects.filter(entry=entry).order_by("-slot_at")[:limit])
    jobs = _jobs([row.job_id for row in rows])
    return [Fire(row.slot_at, row.fired_at, row.job_id, jobs.get(row.job_id)) for row in rows]


def _view(entry: ScheduleEntry) -> ScheduleView:
    kind = kind_find(entry.kind)
    return ScheduleView(
        entry=entry,
        when=_words(entry),
        summary=kind.summary if kind else "",
        condition=_condition(entry),
        next_at=entry.schedule.next_run,
    )


def _words(entry: ScheduleEntry) -> str:
    if entry.cron or entry.every_s:
        every = timedelta(seconds=entry.every_s) if entry.every_s else None
        return crons.words(every, entry.cron, entry.timezone)
    schedule = entry.schedule
    if schedule.cron:
        return crons.words(None, schedule.cron)
    if schedule.schedule_type == Schedule.MINUTES:
        return crons.words(timedelta(minutes=schedule.minutes or 1), "")
    return str(schedule.get_schedule_type_display()).lower()


def _condition(entry: ScheduleEntry) -> str:
    if entry.quarantined_at:
        return "quarantined"
    if entry.paused_at:
        return "paused"
    return "over" if entry.schedule.repeats == 0 else "active"


def _jobs(ids: list[UUID | None]) -> dict[UUID, JobRecord]:
    wanted = [job_id for job_id in ids if job_id]
    found = JobRecord.objects.filter(pk__in=wanted).only(*COLUMNS) if wanted else []
    return {job.pk: job for job in found}
