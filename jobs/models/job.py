"""A job, its finished form, and its earlier tries. Lifecycle: docs/jobs.md."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from lib.ids import uuid7


class State(models.TextChoices):
    """Where a job is. `scheduled` becomes `available` by the clock alone: nothing writes that."""

    SCHEDULED = "scheduled", "scheduled"  # run_at lies ahead
    AVAILABLE = "available", "available"  # may be leased
    RUNNING = "running", "running"  # leased; lease_until says how long
    COMPLETED = "completed", "completed"  # in the history
    DEAD = "dead", "dead"  # gave up; waits for a person
    CANCELLED = "cancelled", "cancelled"  # in the history


OPEN = (State.SCHEDULED, State.AVAILABLE, State.RUNNING)
WAITING = (State.SCHEDULED, State.AVAILABLE)


class Priority(models.IntegerChoices):
    """Smaller goes first. One lease in ten takes the oldest job instead, so that none starves."""

    CRITICAL = 0, "critical"
    HIGH = 1, "high"
    NORMAL = 2, "normal"
    LOW = 3, "low"


class JobFields(models.Model):
    """What a job is, the same while it lives and in the history."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Given by the database at insert: the order of commits within a partition key.
    seq = models.BigIntegerField(editable=False)
    kind = models.CharField(max_length=80)
    queue = models.CharField(max_length=40)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    state = models.CharField(max_length=10, choices=State.choices)
    args = models.JSONField(default=dict)
    run_at = models.DateTimeField()
    attempt = models.IntegerField(default=0)  # leases so far, snoozes and hand-backs not counted
    max_attempts = models.IntegerField(default=1)
    crash_count = models.IntegerField(default=0)  # leases that ended without a word
    fence = models.BigIntegerField(default=0)  # grows with each lease; an outcome must present it
    worker = models.CharField(max_length=120, null=True)
    partition_key = models.CharField(max_length=160, null=True)
    skip_ahead = models.BooleanField(default=False)  # a waiting retry lets the key go on
    unique_key = models.CharField(max_length=200, null=True)
    debounce_key = models.CharField(max_length=200, null=True)
    debounced = models.IntegerField(
        default=0
    )  # calls that this one row stands for, beyond the first
    first_enqueued_at = models.DateTimeField(null=True)  # of a debounced row
    deadline_at = models.DateTimeField(null=True)
    timeout_s = models.FloatField(null=True)  # null: that of the kind
    retry_delays = models.JSONField(null=True)  # seconds; null: those of the kind
    progress = models.JSONField(null=True)  # {"pct": number?, "msg": text?, ...}
    checkpoint = models.JSONField(null=True)  # what the next attempt reads back
    last_error = models.TextField(null=True)
    correlation_id = models.CharField(max_length=64, null=True)
    batch = models.ForeignKey(
        "jobs.Batch", models.DO_NOTHING, null=True, db_constraint=False, db_index=False
    )
    parent_id = models.UUIDField(null=True)  # the job that enqueued this one
    replay_of = models.UUIDField(null=True)  # the dead or finished job that this one repeats
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)  # of the latest attempt

    class Meta:
        abstract = True


class Job(JobFields):
    """A job that is not finished: one row, every arrow of its life one conditional UPDATE."""

    blocked = models.BooleanField(default=False)  # not the head of its partition key
    lease_until = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "jobs_job"
        verbose_name = "open job"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False)
                | (~Q(state="running") & Q(lease_until=None)),
                name="jobs_job_lease_iff_running",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["scheduled", "available", "running", "dead"]),
                name="jobs_job_state_known",
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=0, priority__lte=3), name="jobs_job_priority_known"
            ),
            models.CheckConstraint(
                condition=Q(blocked=False) | Q(partition_key__isnull=False),
                name="jobs_job_blocked_needs_key",
            ),
            models.UniqueConstraint(
                fields=["debounce_key"],
                condition=Q(debounce_key__isnull=False, state__in=["scheduled", "available"]),
                name="jobs_job_one_waiting_per_debounce",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["queue", "priority", "run_at", "seq"],
                condition=Q(blocked=False, state__in=["scheduled", "available"]),
                name="jobs_job_ready",
            ),
            models.Index(
                fields=["run_at"],
                condition=Q(crash_count__gt=0, blocked=False, state__in=["scheduled", "available"]),
                name="jobs_job_suspect",
            ),
            models.Index(fields=["worker"], condition=Q(state="running"), name="jobs_job_leased"),
            models.Index(
                fields=["partition_key", "seq"],
                condition=Q(
                    partition_key__isnull=False, state__in=["scheduled", "available", "running"]
                ),
                name="jobs_job_line",
            ),
            models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="jobs_job_batch"),
            models.Index(F("id").desc(), condition=Q(state="dead"), name="jobs_job_dead"),
        ]
        permissions: ClassVar = [
            ("enqueue_job", "Can create jobs over REST"),
            ("lease_job", "Can lease jobs of external queues over REST"),
            ("lease_any_queue", "Can lease jobs of any queue over REST"),
            ("operate_job", "Can cancel, retry, replay and discard jobs"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class JobHistory(JobFields):
    """A finished job. Partitioned by day of finished_at, dropped by day; ids are unique by UUID."""

    finished_at = models.DateTimeField()
    result = models.JSONField(null=True)  # shown for RESULT_TTL_SECONDS
    logs = models.JSONField(null=True)  # lines of the last attempt
    resolution = models.CharField(max_length=200, null=True)  # how a dead one was put away

    class Meta:
        managed = False  # partitioned: jobs/migrations/sql/history.sql
        db_table = "jobs_jobhistory"
        verbose_name = "finished job"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class JobRecord(JobFields):
    """Any job, open or finished: what lists, pages and the API read. Ordered by id, newest first."""

    blocked = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    logs = models.JSONField(null=True)
    resolution = models.CharField(max_length=200, null=True)

    class Meta:
        managed = False  # a view: jobs/migrations/sql/history.sql
        db_table = "jobs_jobrecord"
        verbose_name = "job"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class JobAttempt(models.Model):
    """A try of a job that was not its last good one: retried, snoozed, crashed, dead or handed back.

    The try that completed a job lives in its history row (worker, fence, times, logs), so that the
    common case, one try that succeeds, costs no row here. Partitioned by day of finished_at.
    """

    class Outcome(models.TextChoices):
        COMPLETED = "completed"
        RETRIED = "retried"
        SNOOZED = "snoozed"
        CRASHED = "crashed"
        DEAD = "dead"
        CANCELLED = "cancelled"
        RELEASED = "released"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job_id = models.UUIDField()
    attempt = models.IntegerField()
    fence = models.BigIntegerField()
    worker = models.CharField(max_length=120, null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    error = models.TextField(null=True)
    logs = models.JSONField(null=True)
    next_run_at = models.DateTimeField(null=True)

    class Meta:
        managed = False  # partitioned: jobs/migrations/sql/history.sql
        db_table = "jobs_jobattempt"

    def __str__(self) -> str:
        return f"{self.job_id} attempt {self.attempt}: {self.outcome}"
