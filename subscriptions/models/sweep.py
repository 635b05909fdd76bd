"""Sweeps that can cut people: the set is computed first, and too large a one waits for a person."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7
from subscriptions.models.subscriber import Subscriber


class SweepState(models.TextChoices):
    """Where a run is."""

    HELD = "held", "held by the brake"  # waits for Approve
    RUNNING = "running", "running"
    DONE = "done", "done"
    REFUSED = "refused", "refused by a person"
    STOPPED = "stopped", "stopped by a person"
    OBSERVED = "observed", "observed only"  # computed, nothing done


class Sweep(models.Model):
    """One run. found: how many it would cut; usual: the median of the last runs; sample: 20 of them.

    key: a run that may happen once only, such as a month; null for the others.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=40)  # the kind of its job
    key = models.CharField(max_length=20, null=True)
    state = models.CharField(max_length=8, choices=SweepState.choices)
    found = models.PositiveIntegerField(default=0, db_default=0)
    usual = models.PositiveIntegerField(null=True)
    served = models.PositiveIntegerField(null=True)  # estimate of how many there are at all
    done = models.PositiveIntegerField(default=0, db_default=0)
    skipped = models.PositiveIntegerField(default=0, db_default=0)
    unknown = models.PositiveIntegerField(default=0, db_default=0)
    failed = models.PositiveIntegerField(default=0, db_default=0)
    held_reason = models.CharField(max_length=300, default="", db_default="")
    sample = models.JSONField(default=list, db_default=[])
    decided_by = models.CharField(max_length=150, default="", db_default="")
    decided_at = models.DateTimeField(null=True)
    job_id = models.UUIDField(null=True)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "subscription_sweep"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_sweep", "Can approve and refuse held sweeps")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(state__in=["held", "running"]),
                name="subscription_sweep_one_open",
            ),
            models.UniqueConstraint(fields=["name", "key"], name="subscription_sweep_key_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["name", "-id"], name="subscription_sweep_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.started_at:%Y-%m-%d %H:%M} UTC"


class SweepItem(models.Model):
    """One subscriber of a run, as it was when the set was computed. fate is empty until it is decided;
    at: when it was begun, then when it was decided. job_id: the job that does it."""

    id = models.BigAutoField(primary_key=True)
    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="items", db_index=False)
    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="+")
    expire_at = models.DateTimeField()
    fate = models.CharField(max_length=12, default="", db_default="")
    reason = models.CharField(max_length=40, default="", db_default="")
    job_id = models.UUIDField(null=True)
    at = models.DateTimeField(null=True)

    class Meta:
        db_table = "subscription_sweep_item"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sweep", "subscriber"], name="subscription_sweep_item_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["sweep", "id"], condition=Q(fate=""), name="subscription_sweep_item_open"
            ),
            models.Index(fields=["sweep", "id"], name="subscription_sweep_item_list"),
            models.Index(fields=["sweep", "fate", "id"], name="subscription_sweep_item_fate"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber_id}: {self.fate or 'open'}"


class SweepSettings(models.Model):
    """What holds a sweep, changed in the admin: more than `most`, than `share` percent of the served,
    or than three times the usual. Fewer than `least` are never held for their share or for what is
    usual. is_observing: it computes and shows, and cuts nobody."""

    name = models.CharField(primary_key=True, max_length=40)
    is_observing = models.BooleanField(default=False, db_default=False)
    most = models.PositiveIntegerField(default=500, db_default=500)
    least = models.PositiveIntegerField(default=20, db_default=20)
    share = models.DecimalField(max_digits=5, decimal_places=2, default=5, db_default=5)
    times_usual = models.DecimalField(max_digits=5, decimal_places=2, default=3, db_default=3)

    class Meta:
        db_table = "subscription_sweep_settings"
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return self.name
