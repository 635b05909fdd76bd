"""What of the job platform needs a person now, for the first page of the console."""

from django.urls import reverse

from jobs.models import Breaker, Queue, ScheduleEntry
from jobs.selectors.dead import dead_count
from jobs.selectors.workers import workers_silent
from lib.now import Attention, Severity, attention


@attention(order=10, permission="jobs.view_jobrecord")
def dead_letters() -> Attention:
    """Jobs that gave up."""
    count = dead_count()
    return Attention(
        _many(count, "dead job"),
        count,
        Severity.CRITICAL,
        reverse("admin:jobs_jobrecord_dead"),
        "They gave up. See why, then replay or discard them.",
        runbook="jobs_dead",
    )


@attention(order=20, permission="jobs.view_breaker")
def open_breakers() -> Attention:
    """Outside services that are held to be down."""
    names = list(
        Breaker.objects.exclude(state=Breaker.State.CLOSED).values_list("name", flat=True)[:20]
    )
    return Attention(
        _many(len(names), "open breaker"),
        len(names),
        Severity.CRITICAL,
        reverse("admin:jobs_breaker_changelist"),
        f"No calls go to {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}.",
        runbook="breaker_open",
    )


@attention(order=30, permission="jobs.view_worker")
def silent_workers() -> Attention:
    """Workers that neither beat nor said that they stop."""
    count = workers_silent()
    return Attention(
        _many(count, "silent worker"),
        count,
        Severity.WARNING,
        reverse("admin:jobs_worker_changelist"),
        "They stopped beating. Their jobs go to others by themselves.",
        runbook="workers_silent",
    )


@attention(order=40, permission="jobs.view_queue")
def paused_queues() -> Attention:
    """Queues that somebody paused and may have forgotten."""
    paused = list(Queue.objects.exclude(paused_at=None).values_list("name", flat=True)[:50])
    return Attention(
        _many(len(paused), "paused queue"),
        len(paused),
        Severity.WARNING,
        reverse("admin:jobs_queue_changelist"),
        f"Nothing starts from {', '.join(paused[:3])}{' and others' if len(paused) > 3 else ''}.",
        runbook="queue_paused",
    )


@attention(order=50, permission="jobs.view_scheduleentry")
def quarantined_schedules() -> Attention:
    """Schedules that cannot be fired as they are."""
    count = ScheduleEntry.objects.exclude(quarantined_at=None).count()
    return Attention(
        _many(count, "quarantined schedule"),
        count,
        Severity.CRITICAL,
        reverse("admin:jobs_scheduleentry_changelist"),
        "They cannot be fired as they are. See why, and put their time right.",
        runbook="schedule_quarantined",
    )


def _many(count: int, what: str) -> str:
    return what if count == 1 else f"{what}s"
