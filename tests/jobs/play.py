"""Playing the worker: lease jobs and end them without an engine, and look at their rows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from jobs.ending import Ended, outcomes_write
from jobs.lease import Lease, jobs_lease
from jobs.models import OPEN, Job, JobAttempt, JobHistory, JobRecord
from lib import clock

PAST = timedelta(hours=-1)


def lease(*queues: str, limit: int = 100, worker: str = "w1", **options: Any) -> list[Lease]:
    """Lease what is due in these queues (default: "default")."""
    return jobs_lease(queues=queues or ("default",), limit=limit, worker=worker, **options)


def lease_one(*queues: str, **options: Any) -> Lease:
    """Lease exactly one job; there must be one."""
    found = lease(*queues, limit=1, **options)
    assert len(found) == 1, found
    return found[0]


def ended(
    held: Lease, name: str = "completed", *, run_in: timedelta | None = None, **more: Any
) -> Ended:
    """An end of a lease. run_in: after which span it is tried again; now if it must have one."""
    now = clock.now().timestamp()
    if run_in is None and name in {"retried", "snoozed", "crashed"}:
        run_in = timedelta(0)
    run_at = None if run_in is None else now + run_in.total_seconds()
    return Ended(held, name, now, now, run_at=run_at, **more)


def finish(*held: Lease, name: str = "completed", **more: Any) -> set[UUID]:
    """Write one kind of end for leases. Returns the ids that were still theirs."""
    return outcomes_write([ended(one, name, **more) for one in held])


def lapse(*held: Lease) -> None:
    """Let leases run out now. They follow the clock of the database, which nobody moves."""
    past = datetime.now(UTC) - timedelta(hours=1)
    Job.objects.filter(pk__in=[one.id for one in held]).update(lease_until=past)


def job(job_id: UUID) -> Job:
    """The open row."""
    return Job.objects.get(pk=job_id)


def past(job_id: UUID) -> JobHistory:
    """The finished row."""
    return JobHistory.objects.get(pk=job_id)


def state(job_id: UUID) -> str:
    """Where a job is, wherever its row is."""
    return JobRecord.objects.get(pk=job_id).state


def tries(job_id: UUID) -> list[JobAttempt]:
    """The kept attempts of a job, in their order."""
    return list(JobAttempt.objects.filter(job_id=job_id).order_by("fence"))


def line(key: str) -> list[tuple[Any, str, bool]]:
    """The open jobs of a key in their order: (args["n"], state, blocked)."""
    rows = Job.objects.filter(partition_key=key, state__in=OPEN).order_by("seq")
    return [(row.args.get("n"), row.state, row.blocked) for row in rows]
