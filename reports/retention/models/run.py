"""One run of one kind of cleanup, real or dry."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7


class RunState(models.TextChoices):
    """Where a run stands."""

    WAITING = "waiting", "waiting"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"  # its job may try again: then it runs once more
    CANCELLED = "cancelled", "cancelled"


class RetentionRun(models.Model):
    """What one run removed, or would remove. Written together with each piece that goes.

    tables: {name: {"rows", "bytes", "partitions": [names], "is_estimate"}}, in the order of the steps;
    rows of a dropped partition are the planner's, and so are bytes of rows that were deleted.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=80)  # of its job: "reports.clean_audit"
    state = models.CharField(max_length=10, choices=RunState.choices)
    is_dry = models.BooleanField()
    job_id = models.UUIDField(null=True, unique=True)
    fence = models.BigIntegerField(default=0, db_default=0)  # of the attempt that may write
    tables = models.JSONField(default=dict, db_default={})
    rows = models.BigIntegerField(default=0, db_default=0)
    partitions = models.IntegerField(default=0, db_default=0)
    bytes = models.BigIntegerField(default=0, db_default=0)
    error = models.CharField(max_length=500, default="", db_default="")
    requested_by = models.CharField(max_length=150, default="", db_default="")  # "": the schedule
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "retention_run"
        verbose_name = "retention run"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate_retentionrun", "Can count and remove what is older than its retention")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], finished_at=None)
                | Q(state__in=["done", "failed", "cancelled"], finished_at__isnull=False),
                name="retention_run_finished",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "-id"], name="retention_run_kind"),
            models.Index(fields=["state", "-id"], name="retention_run_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
