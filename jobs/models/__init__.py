"""The rows of the job platform. docs/jobs.md draws how they change."""

from jobs.models.audit import AuditEntry
from jobs.models.guards import Breaker, BreakerEvent, RateBucket, Slot
from jobs.models.idempotency import KeptAnswer
from jobs.models.job import (
    OPEN,
    WAITING,
    Job,
    JobAttempt,
    JobHistory,
    JobRecord,
    Priority,
    State,
)
from jobs.models.lines import Batch, PartitionWake, Queue, UniqueKey
from jobs.models.remote import AttemptLine
from jobs.models.running import JobStat, ScheduleEntry, ScheduleFire, Worker

__all__ = [
    "OPEN",
    "WAITING",
    "AttemptLine",
    "AuditEntry",
    "Batch",
    "Breaker",
    "BreakerEvent",
    "Job",
    "JobAttempt",
    "JobHistory",
    "JobRecord",
    "JobStat",
    "KeptAnswer",
    "PartitionWake",
    "Priority",
    "Queue",
    "RateBucket",
    "ScheduleEntry",
    "ScheduleFire",
    "Slot",
    "State",
    "UniqueKey",
    "Worker",
]
