"""Files of people on their way to become a list: kept in the database, for the worker is elsewhere."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from lib.ids import uuid7
from notifications.broadcasts.models.audience import Audience


class Upload(models.Model):
    """One uploaded file. Its chunks go when it has ended, well or not."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"  # audience is the list
        FAILED = "failed", "failed"  # error says why; nothing of it was kept
        CANCELLED = "cancelled", "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=300, blank=True, default="")
    mapping = models.JSONField(null=True)  # as Audience.mapping; null: by the names of columns
    size = models.BigIntegerField()  # bytes
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=500, blank=True, default="")
    audience = models.ForeignKey(Audience, models.SET_NULL, null=True, related_name="+")
    job_id = models.UUIDField(null=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "broadcast_upload"
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class UploadChunk(models.Model):
    """A piece of a file, in the order of its numbers from 0 on."""

    id = models.BigAutoField(primary_key=True)
    upload = models.ForeignKey(Upload, models.CASCADE, related_name="+", db_index=False)
    number = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        db_table = "broadcast_upload_chunk"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["upload", "number"], name="broadcast_upload_chunk_once")
        ]

    def __str__(self) -> str:
        return f"chunk {self.number}"
