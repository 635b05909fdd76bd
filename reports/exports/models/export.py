"""An export: what somebody ordered, how far its file is, and until when it can be had."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7


class ExportState(models.TextChoices):
    """Where an export is. Only a done one has a file."""

    WAITING = "waiting", "waiting"
    RUNNING = "running", "being written"
    DONE = "done", "ready"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired"  # its time is over, the file is gone
    DELETED = "deleted", "deleted"  # a person had the file deleted


class ExportFormat(models.TextChoices):
    """How a file is written."""

    CSV = "csv", "CSV"
    JSONL = "jsonl", "JSON lines"


OPEN = (ExportState.WAITING, ExportState.RUNNING)


class Export(models.Model):
    """type: the name of a source (reports/exports/sources). since, until: half open, of what that source
    says. filters: as the source takes them. bytes and sha256 are those of the file as it is downloaded.

    attempt: counts the writers; only the last one may say how far it is, or that it is done.
    link_version: links of an earlier version open nothing any more.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    type = models.CharField(max_length=20)
    format = models.CharField(max_length=5, choices=ExportFormat.choices)
    is_gzipped = models.BooleanField(default=False, db_default=False)
    has_bom = models.BooleanField(default=False, db_default=False)  # for Excel
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    filters = models.JSONField(default=dict, db_default={})
    columns = ArrayField(models.CharField(max_length=60))
    state = models.CharField(max_length=9, choices=ExportState.choices, default=ExportState.WAITING)

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    requested_name = models.CharField(max_length=150)  # as it was then; "system": nobody
    tell_telegram_id = models.BigIntegerField(null=True)
    job_id = models.UUIDField(null=True)

    attempt = models.IntegerField(default=0, db_default=0)
    rows = models.BigIntegerField(default=0, db_default=0)
    rows_expected = models.BigIntegerField(null=True)  # reckoned while it is written
    bytes = models.BigIntegerField(default=0, db_default=0)
    sha256 = models.CharField(max_length=64, default="", db_default="")
    storage_name = models.CharField(max_length=120, default="", db_default="")
    error = models.CharField(max_length=300, default="", db_default="")

    link_version = models.IntegerField(default=1, db_default=1)
    downloads = models.IntegerField(default=0, db_default=0)
    downloaded_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "export"
        default_permissions = ("view", "add")
        permissions: ClassVar = [
            ("operate_export", "Can cancel, revoke and delete exports of others")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=ExportState.values, format__in=ExportFormat.values),
                name="export_words_known",
            ),
            models.CheckConstraint(
                condition=Q(since=None) | Q(until=None) | Q(since__lt=models.F("until")),
                name="export_range_forwards",
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | ~Q(storage_name="") & Q(expires_at__isnull=False, finished_at__isnull=False),
                name="export_done_has_a_file",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["waiting", "running"]),
                name="export_open",
            ),
            models.Index(fields=["expires_at"], condition=Q(state="done"), name="export_with_file"),
            models.Index(fields=["state", "-id"], name="export_by_state"),
            models.Index(fields=["type", "-id"], name="export_by_type"),
            models.Index(fields=["requested_by", "-id"], name="export_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.type} as {self.get_format_display()}"

    @property
    def extension(self) -> str:
        """csv, jsonl, and .gz behind it if it is compressed."""
        return f"{self.format}.gz" if self.is_gzipped else self.format

    @property
    def file_name(self) -> str:
        """What whoever downloads it gets: users_2026-11-01_2026-12-01.csv."""
        days = [f"{moment:%Y-%m-%d}" for moment in (self.since, self.until) if moment]
        parts = [self.type, *(days or ["all"]), str(self.pk)[-6:]]
        return f"{'_'.join(parts)}.{self.extension}"
