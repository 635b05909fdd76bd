"""What jobs stand in or are held by: queues, keys, batches."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from lib.ids import uuid7


class Queue(models.Model):
    """A queue of jobs. While paused nothing is leased from it; what runs goes on."""

    name = models.CharField(max_length=40, primary_key=True)
    is_external = models.BooleanField(default=False)  # leased only over REST
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    pause_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        permissions: ClassVar = [("pause_queue", "Can pause and resume queues")]

    def __str__(self) -> str:
        return self.name


class UniqueKey(models.Model):
    """Who holds a unique key. `infinity` in the database means: as long as the job is open."""

    key = models.CharField(max_length=200, primary_key=True)
    job_id = models.UUIDField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "jobs_uniquekey"

    def __str__(self) -> str:
        return self.key


class PartitionWake(models.Model):
    """A key whose next job could not be let go yet, because somebody was just enqueueing on it."""

    key = models.CharField(max_length=160, primary_key=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "jobs_partitionwake"

    def __str__(self) -> str:
        return self.key


class Batch(models.Model):
    """Jobs that belong together; when all are finished, one callback job is enqueued, once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    title = models.CharField(max_length=200, blank=True)
    total = models.BigIntegerField(default=0)
    completed = models.BigIntegerField(default=0)
    dead = models.BigIntegerField(default=0)
    cancelled = models.BigIntegerField(default=0)
    sealed_at = models.DateTimeField(null=True)  # all members are in; until then it cannot finish
    finished_at = models.DateTimeField(null=True)
    callback_kind = models.CharField(max_length=80, null=True)
    callback_args = models.JSONField(default=dict)
    callback_job_id = models.UUIDField(null=True)
    correlation_id = models.CharField(max_length=64, null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return self.title or str(self.id)
