"""What the tables should say, kept beside them in plain Python."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings

from jobs.lease import Lease
from lib import clock

MAX_CRASHES: int = settings.JOBS["max_crashes"]
LADDER = 2  # attempts of a job before its worker says "dead"


@dataclass(slots=True)
class Known:
    """A job as it should be. state: waiting, running, dead, put away (it was dead), or how it ended."""

    id: UUID
    key: str | None
    unique: str | None
    skip_ahead: bool
    run_at: datetime
    state: str = "waiting"
    attempt: int = 0
    crashes: int = 0
    fence: int = 0
    tries: int = 0  # rows of jobs_jobattempt

    @property
    def is_open(self) -> bool:
        """Does it hold its key and its line?"""
        return self.state in {"waiting", "running"}

    @property
    def is_due(self) -> bool:
        """Has its time come?"""
        return self.state == "waiting" and self.run_at <= clock.now()


@dataclass(slots=True)
class Unit:
    """Jobs of one key that one worker got in one lease, in their order; without a key: one job."""

    worker: str
    leases: list[Lease]


@dataclass(slots=True)
class World:
    """All jobs, who holds which, and what was counted."""

    jobs: dict[UUID, Known] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    stale: list[Lease] = field(default_factory=list)  # leases that were lost or have ended
    counted: Counter[str] = field(default_factory=Counter)

    def holder(self, unique: str) -> Known | None:
        """The open job that has the unique key."""
        found = [job for job in self.jobs.values() if job.unique == unique and job.is_open]
        assert len(found) <= 1, found
        return found[0] if found else None

    def leased(self, lease: Lease) -> None:
        """A worker got it."""
        job = self.jobs[lease.id]
        assert job.is_due, job
        assert lease.fence > job.fence, (lease, job)
        job.state, job.fence, job.attempt = "running", lease.fence, job.attempt + 1
        assert (lease.attempt, lease.crash_count) == (job.attempt, job.crashes)

    def ended(self, lease: Lease, name: str, run_at: datetime | None = None) -> None:
        """Its worker said how it ended, and was believed."""
        job = self.jobs[lease.id]
        assert (job.state, job.fence) == ("running", lease.fence)
        job.state = name if name in {"completed", "cancelled", "dead"} else "waiting"
        job.run_at = run_at or job.run_at
        job.attempt -= name in {"snoozed", "released"}
        job.crashes += name == "crashed"
        job.tries += name in {"retried", "snoozed", "crashed", "dead"}
        self.counted[name] += 1
        self.stale.append(lease)

    def reaped(self, lease: Lease, *, suspect: bool) -> None:
        """Its worker was lost."""
        job = self.jobs[lease.id]
        job.crashes += suspect
        job.attempt -= not suspect
        job.tries += suspect
        job.state = "dead" if suspect and job.crashes >= MAX_CRASHES else "waiting"
        name = "released" if not suspect else "dead" if job.state == "dead" else "crashed"
        self.counted[name] += 1
        self.stale.append(lease)
