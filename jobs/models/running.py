"""What keeps the platform going and what it counted: workers, schedules, statistics."""

from typing import ClassVar

from django.db import models


class Worker(models.Model):
    """A process that runs jobs: a child of a qcluster, or an outside worker over REST."""

    id = models.CharField(max_length=120, primary_key=True)  # unique per start
    cluster = models.CharField(max_length=120, blank=True)
    host = models.CharField(max_length=120)
    pid = models.IntegerField(null=True)
    is_external = models.BooleanField(default=False)
    version = models.CharField(max_length=40, blank=True)
    queues = models.JSONField(default=list)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    stop_reason = models.CharField(max_length=200, blank=True)
    rss_bytes = models.BigIntegerField(default=0)
    jobs_started = models.BigIntegerField(default=0)
    jobs_completed = models.BigIntegerField(default=0)
    jobs_failed = models.BigIntegerField(default=0)
    directive = models.CharField(max_length=10, default="run")  # run, quiet, terminate
    slots = models.IntegerField(default=1, db_default=1)  # jobs that an outside worker runs at once
    labels = models.JSONField(null=True)  # what an outside worker says about itself

    class Meta:
        indexes: ClassVar = [models.Index(fields=["beat_at"], name="jobs_worker_beat")]
        permissions: ClassVar = [("direct_worker", "Can quiet and stop workers")]

    def __str__(self) -> str:
        return self.id


class ScheduleEntry(models.Model):
    """Our side of a django-q2 Schedule row: what it fires and how precisely."""

    schedule = models.OneToOneField("django_q.Schedule", models.CASCADE, related_name="entry")
    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=80, blank=True)  # empty: a schedule of third parties
    args = models.JSONField(default=dict, blank=True)
    every_s = models.FloatField(null=True, blank=True)  # an interval, or
    cron = models.CharField(max_length=100, blank=True)  # 5 fields, or 6 with seconds first
    timezone = models.CharField(max_length=60, default="UTC")
    jitter_s = models.FloatField(default=0)
    is_declared = models.BooleanField(default=True)  # beside the job in the code
    is_edited = models.BooleanField(default=False)  # changed by a person: migrate leaves it alone
    paused_at = models.DateTimeField(null=True, blank=True)
    quarantined_at = models.DateTimeField(null=True, blank=True)
    quarantine_reason = models.TextField(blank=True)
    last_slot_at = models.DateTimeField(null=True, blank=True)
    last_job_id = models.UUIDField(null=True, blank=True)

    class Meta:
        verbose_name = "schedule"
        permissions: ClassVar = [("operate_schedule", "Can run now, pause and resume schedules")]

    def __str__(self) -> str:
        return self.name


class ScheduleFire(models.Model):
    """One slot of one schedule was fired, and it cannot be fired again."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(ScheduleEntry, models.CASCADE, related_name="fires")
    slot_at = models.DateTimeField()
    job_id = models.UUIDField()
    fired_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "slot_at"], name="jobs_fire_once_per_slot")
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.slot_at:%F %T}"


class JobStat(models.Model):
    """Counts of one minute, written with the outcomes they count, folded together when older.

    Rows of one bucket are added up: a batch appends its own row, so that no two workers wait for
    each other. `wait_hist` and `run_hist` count jobs per bucket of jobs.stats.BOUNDS_MS.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()  # start of the minute or hour; 2000-01-01: all that is older
    kind = models.CharField(max_length=80)
    queue = models.CharField(max_length=40)
    event = models.CharField(max_length=12)  # enqueued, completed, retried, dead, ...
    count = models.BigIntegerField()
    wait_ms = models.FloatField(default=0)
    run_ms = models.FloatField(default=0)
    wait_hist = models.JSONField(null=True)
    run_hist = models.JSONField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["at"], name="jobs_stat_at")]

    def __str__(self) -> str:
        return f"{self.at:%F %R} {self.kind} {self.event}: {self.count}"
