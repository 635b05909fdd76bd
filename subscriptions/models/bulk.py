"""Bulk operations: one act for many subscribers, with the fate of each."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7
from subscriptions.models.subscriber import Subscriber


class BulkKind(models.TextChoices):
    """What is done to each."""

    DISABLE = "disable", "disable"
    ENABLE = "enable", "enable"
    RESET_TRAFFIC = "reset_traffic", "reset traffic"
    EXTEND = "extend", "extend"
    DELETE = "delete", "delete"
    IMPORT = "import", "import"


class BulkState(models.TextChoices):
    """Where an operation is."""

    WAITING = "waiting", "waiting"  # its items are being written, or its job has not begun
    RUNNING = "running", "running"
    PAUSED = "paused", "paused"
    DONE = "done", "done"
    CANCELLED = "cancelled", "cancelled"


class ItemState(models.TextChoices):
    """What became of one subscriber."""

    PENDING = "pending", "pending"
    RUNNING = "running", "running"  # the request may be on its way
    DONE = "done", "done"  # read back from the panel
    FAILED = "failed", "failed"
    SKIPPED = "skipped", "skipped"  # nothing to do, unknown, or cancelled


class BulkOperation(models.Model):
    """params: {"days": 30} and the like. selection: how the set was chosen, for people.

    parent: the operation whose failed ones this tries again, or which this undoes.
    total = pending + running + done + failed + skipped of its items.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=14, choices=BulkKind.choices)
    params = models.JSONField(default=dict, db_default={})
    selection = models.JSONField(default=dict, db_default={})
    source = models.CharField(max_length=8)  # admin, api, csv, file
    state = models.CharField(max_length=9, choices=BulkState.choices, default=BulkState.WAITING)
    total = models.PositiveIntegerField(default=0, db_default=0)
    done = models.PositiveIntegerField(default=0, db_default=0)
    failed = models.PositiveIntegerField(default=0, db_default=0)
    skipped = models.PositiveIntegerField(default=0, db_default=0)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    is_undo = models.BooleanField(default=False, db_default=False)
    created_by = models.CharField(max_length=150, default="", db_default="")
    tell_telegram_id = models.BigIntegerField(null=True)
    idempotency_key = models.CharField(max_length=200, null=True)
    pause_reason = models.TextField(default="", db_default="")  # empty: a person has paused it
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bulk_operation"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_bulkoperation", "Can start and cancel bulk operations")]
        indexes: ClassVar = [models.Index(fields=["state", "-id"], name="bulk_operation_state")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.total} subscribers"


class BulkItem(models.Model):
    """One subscriber of an operation, or (importing) one line of a list.

    before: what an undo would bring back. data: what is to be written, computed once, so that doing it
    again after a kill changes nothing. walker: which of the walkers holds it while it is running.
    """

    id = models.BigAutoField(primary_key=True)
    operation = models.ForeignKey(
        BulkOperation, models.CASCADE, related_name="items", db_index=False
    )
    subscriber = models.ForeignKey(Subscriber, models.SET_NULL, null=True, related_name="+")
    given = models.CharField(max_length=64, default="", db_default="")  # as it stood in the list
    state = models.CharField(max_length=7, choices=ItemState.choices, default=ItemState.PENDING)
    reason = models.CharField(max_length=40, default="", db_default="")
    detail = models.CharField(max_length=300, default="", db_default="")
    before = models.JSONField(null=True)
    data = models.JSONField(null=True)
    walker = models.PositiveSmallIntegerField(null=True)
    at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bulk_item"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["operation", "subscriber"],
                condition=Q(subscriber__isnull=False),
                name="bulk_item_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["operation", "id"],
                condition=Q(state__in=["pending", "running"]),
                name="bulk_item_open",
            ),
            models.Index(fields=["operation", "state", "reason", "id"], name="bulk_item_by_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.given or self.subscriber_id}: {self.state}"
