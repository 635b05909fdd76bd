"""What changed: a batch per debounce window, a row per changed file with what became of it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from lib.ids import uuid7
from monitoring.files.models.index import WatchedFile
from monitoring.files.models.rule import Change, Rule


class FileBatch(models.Model):
    """The files that changed in one window. total = pending + done + failed + skipped, always."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        FINISHED = "finished", "finished"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    opened_at = models.DateTimeField()  # the first sign of a change
    created_at = models.DateTimeField()  # written together with its files and its job
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    job_id = models.UUIDField(null=True, blank=True)  # the latest job that acts on it
    correlation_id = models.CharField(max_length=64, blank=True, default="")
    total = models.IntegerField()
    added = models.IntegerField(default=0)
    modified = models.IntegerField(default=0)
    moved = models.IntegerField(default=0)
    deleted = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)
    accepted = models.BigIntegerField(default=0)  # lines that an action took
    rejected = models.BigIntegerField(default=0)  # lines that it refused

    class Meta:
        db_table = "files_batch"
        verbose_name = "file batch"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(total__gte=models.F("done") + models.F("failed") + models.F("skipped")),
                name="files_batch_ends_within_total",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["rule", "-id"], name="files_batch_rule"),
            models.Index(
                fields=["-id"], condition=~Q(state="finished"), name="files_batch_unfinished"
            ),
            models.Index(fields=["-id"], condition=Q(failed__gt=0), name="files_batch_failed"),
            models.Index(fields=["finished_at"], name="files_batch_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.total} file{'' if self.total == 1 else 's'} at {self.created_at:%F %T} UTC"


class FileEvent(models.Model):
    """One change of one file, and what its action made of it."""

    class Outcome(models.TextChoices):
        PENDING = "pending", "pending"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        SKIPPED = "skipped", "skipped"

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(FileBatch, models.CASCADE, related_name="events", db_index=False)
    file = models.ForeignKey(WatchedFile, models.CASCADE, related_name="events", db_index=False)
    change = models.CharField(max_length=10, choices=Change.choices)
    path = models.TextField()
    old_path = models.TextField(null=True, blank=True)  # of a move
    size = models.BigIntegerField(default=0)
    modified_at = models.DateTimeField(null=True)  # as the file says
    sha256 = models.CharField(max_length=64, null=True)
    outcome = models.CharField(
        max_length=10, choices=Outcome.choices, default=Outcome.PENDING, db_default="pending"
    )
    reason = models.TextField(blank=True, default="", db_default="")
    attempts = models.IntegerField(default=0, db_default=0)
    accepted = models.BigIntegerField(default=0, db_default=0)
    rejected = models.BigIntegerField(default=0, db_default=0)
    rejects = models.JSONField(default=list, db_default=[])  # the first: [{"line", "text", "why"}]
    report = models.TextField(blank=True, default="", db_default="")  # the file with all of them
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "files_event"
        verbose_name = "file change"
        constraints: ClassVar = [
            # A second watcher that came to the same conclusion is refused by the fence; this is the
            # same rule once more, where nothing can pass by it.
            models.UniqueConstraint(fields=["batch", "file"], name="files_event_once_per_batch")
        ]
        indexes: ClassVar = [
            models.Index(fields=["batch", "id"], name="files_event_batch"),
            models.Index(
                fields=["batch", "id"], condition=Q(outcome="pending"), name="files_event_pending"
            ),
            models.Index(fields=["file", "-id"], name="files_event_file"),
            models.Index(
                fields=["finished_at"], condition=Q(outcome="failed"), name="files_event_failed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.change}"
