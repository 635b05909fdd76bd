"""What holds jobs back for good reason: breakers of outside services and rate buckets."""

from typing import ClassVar

from django.db import models


class Breaker(models.Model):
    """The circuit breaker of one outside service, shared by all workers."""

    class State(models.TextChoices):
        CLOSED = "closed", "closed"
        OPEN = "open", "open"
        HALF_OPEN = "half_open", "half-open"

    name = models.CharField(max_length=80, primary_key=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CLOSED)
    failures = models.IntegerField(default=0)  # in a row
    opened_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)  # when one probe may go
    openings = models.IntegerField(default=0)  # in a row; the pause grows with it
    last_error = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions: ClassVar = [("operate_breaker", "Can open and close breakers")]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class BreakerEvent(models.Model):
    """One change of state of a breaker."""

    id = models.BigAutoField(primary_key=True)
    breaker = models.ForeignKey(Breaker, models.CASCADE, related_name="events")
    state = models.CharField(max_length=10, choices=Breaker.State.choices)
    reason = models.TextField(blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["breaker", "-id"], name="jobs_breaker_history")]

    def __str__(self) -> str:
        return f"{self.breaker_id} {self.state}"


class Slot(models.Model):
    """A place of a kind that may run only so many times at once.

    Its holder is the job of that fence while it runs; nobody has to give a place back, so that a
    killed worker cannot keep one.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=160)
    number = models.IntegerField()
    job_id = models.UUIDField()
    fence = models.BigIntegerField()

    class Meta:
        db_table = "jobs_slot"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "number"], name="jobs_slot_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class RateBucket(models.Model):
    """A rate limit that holds across all workers (generic cell rate algorithm).

    `tat` is the theoretical arrival time: the moment at which the bucket is full again.
    """

    name = models.CharField(max_length=160, primary_key=True)
    tat = models.DateTimeField()
    paused_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "jobs_ratebucket"

    def __str__(self) -> str:
        return self.name
