"""The mirror: passes over the panel, what does not agree, and how many there are of whom."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7
from subscriptions.models.subscriber import Subscriber


class MirrorPass(models.Model):
    """One pass over all users of the panel; cursor lets it go on after a kill."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dialect = models.CharField(max_length=8)
    panel_version = models.CharField(max_length=20, default="", db_default="")
    cursor = models.CharField(max_length=200, default="", db_default="")
    seen = models.PositiveIntegerField(default=0, db_default=0)
    created = models.PositiveIntegerField(default=0, db_default=0)
    changed = models.PositiveIntegerField(default=0, db_default=0)
    missing = models.PositiveIntegerField(default=0, db_default=0)
    strangers = models.PositiveIntegerField(default=0, db_default=0)  # others under a known number
    # Not seen in the panel; each is asked for before anything is said of him.
    suspects = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    is_comparing = models.BooleanField(default=False, db_default=False)  # nothing is written
    total = models.PositiveIntegerField(null=True)  # as the panel says
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, default="", db_default="")

    class Meta:
        db_table = "mirror_pass"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(finished_at__isnull=True),
                name="mirror_pass_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"pass of {self.started_at:%Y-%m-%d %H:%M} UTC"


class Drift(models.Model):
    """A field on which the panel and we do not agree, shown before anything is written."""

    id = models.BigAutoField(primary_key=True)
    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="drifts")
    field = models.CharField(max_length=40)
    owner = models.CharField(max_length=8)  # panel or us
    ours = models.JSONField(null=True)
    theirs = models.JSONField(null=True)
    found_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=12, default="", db_default="")  # theirs, ours, ignored
    resolved_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        db_table = "subscriber_drift"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate_drift", "Can settle what the panel and we see otherwise")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscriber", "field"],
                condition=Q(resolved_at__isnull=True),
                name="subscriber_drift_open_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.subscriber_id}"


class SubscriberCount(models.Model):
    """How many there were of whom at a moment (U7)."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    total = models.PositiveIntegerField()
    active = models.PositiveIntegerField()
    disabled = models.PositiveIntegerField()
    limited = models.PositiveIntegerField()
    expired = models.PositiveIntegerField()
    online = models.PositiveIntegerField()
    source = models.CharField(max_length=8)  # panel or mirror

    class Meta:
        db_table = "subscriber_count"
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["-at"], name="subscriber_count_at")]

    def __str__(self) -> str:
        return f"{self.total} at {self.at:%Y-%m-%d %H:%M} UTC"
