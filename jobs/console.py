"""What people do to queues, workers, schedules and breakers. Each is audited."""

from uuid import UUID

from django.db import transaction

from jobs import breakers, crons, sql
from jobs.audit import Account, audit_write
from jobs.errors import QueueUnknown
from jobs.models import Queue, ScheduleEntry, Worker
from jobs.schedules import fire_now, schedule_edit, schedule_skip_missed
from lib import clock
from lib.errors import InputInvalid, NotFound


def queue_pause(*, name: str, by: Account, reason: str = "") -> None:
    """Lease nothing more from a queue; what runs goes on. Repeat-safe. Raises QueueUnknown."""
    with transaction.atomic():
        account = by.pk if by is not None and by.pk else None
        changed = Queue.objects.filter(pk=name, paused_at=None).update(
            paused_at=clock.now(), paused_by_id=account, pause_reason=reason[:200]
        )
        if changed:
            audit_write(by, "queues.pause", "queue", name, reason=reason)
        elif not Queue.objects.filter(pk=name).exists():
            raise QueueUnknown(f"there is no queue {name!r}")


def queue_resume(*, name: str, by: Account) -> None:
    """Lease from a queue again. Repeat-safe. Raises QueueUnknown."""
    with transaction.atomic():
        changed = (
            Queue.objects.filter(pk=name)
            .exclude(paused_at=None)
            .update(paused_at=None, paused_by=None, pause_reason="")
        )
        if changed:
            sql.run("SELECT pg_notify('jobs_wake', '')")
            audit_write(by, "queues.resume", "queue", name)
        elif not Queue.objects.filter(pk=name).exists():
            raise QueueUnknown(f"there is no queue {name!r}")


def schedule_run_now(*, name: str, by: Account) -> UUID:
    """Run the job of a schedule now, besides its slots. Returns the id of the job."""
    with transaction.atomic():
        _entry(name)
        job_id = UUID(fire_now(name))
        audit_write(by, "schedules.run", "schedule", name, job=str(job_id))
    return job_id


def schedule_retime(
    *, name: str, every_s: float | None, cron: str, timezone: str = "UTC", by: Account
) -> None:
    """Change when a schedule runs; migrate leaves it alone from then on. Raises InputInvalid."""
    with transaction.atomic():
        entry = _entry(name)
        was = entry.cron or entry.every_s
        try:
            schedule_edit(entry, every_s=every_s, cron=cron, timezone=timezone)
        except crons.CronInvalid as exc:
            raise InputInvalid(str(exc)) from None
        audit_write(
            by, "schedules.retime", "schedule", name,
            was=was, now=cron or every_s, timezone=timezone,
        )  # fmt: skip


def schedule_pause(*, name: str, by: Account) -> None:
    """Fire no more slots until resumed. Repeat-safe."""
    with transaction.atomic():
        entry = _entry(name)
        if ScheduleEntry.objects.filter(pk=entry.pk, paused_at=None).update(paused_at=clock.now()):
            audit_write(by, "schedules.pause", "schedule", name)


def schedule_resume(*, name: str, by: Account) -> None:
    """Fire again, from the next slot on; a quarantined schedule tries its slot again. Repeat-safe."""
    with transaction.atomic():
        entry = _entry(name)
        changed = ScheduleEntry.objects.filter(pk=entry.pk).update(
            paused_at=None, quarantined_at=None, quarantine_reason=""
        )
        if entry.paused_at and not entry.quarantined_at:
            schedule_skip_missed(entry)
        if changed and (entry.paused_at or entry.quarantined_at):
            audit_write(by, "schedules.resume", "schedule", name)


def breaker_set(*, name: str, is_open: bool, by: Account) -> None:
    """Open a breaker by hand (for an hour, then one call probes), or close it."""
    with transaction.atomic():
        who = by.get_username() if by is not None else "system"
        breakers.force(name, is_open=is_open, reason=f"set by {who}")
        audit_write(by, "breakers.open" if is_open else "breakers.close", "breaker", name)


def worker_direct(*, worker_id: str, directive: str, by: Account) -> None:
    """Tell a worker at its next beat: run, quiet (lease no more) or terminate."""
    if directive not in {"run", "quiet", "terminate"}:
        raise InputInvalid("directive must be run, quiet or terminate")
    with transaction.atomic():
        if not Worker.objects.filter(pk=worker_id).update(directive=directive):
            raise NotFound(f"there is no worker {worker_id}")
        audit_write(by, f"workers.{directive}", "worker", worker_id)


def _entry(name: str) -> ScheduleEntry:
    entry = ScheduleEntry.objects.filter(name=name).first()
    if entry is None:
        raise NotFound(f"there is no schedule {name!r}")
    return entry
