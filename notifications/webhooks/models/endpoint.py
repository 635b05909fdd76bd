"""Somebody's server that wants to be told, and where its deliveries stand."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7
from notifications.webhooks.sealing import SealedField

EVERYTHING = "*"  # among event_types: all that there are and will be


class Endpoint(models.Model):
    """One address with the events that it wants. Changed by people only; see Lane for the rest."""

    class State(models.TextChoices):
        ENABLED = "enabled", "enabled"
        DISABLED = "disabled", "disabled"
        DELETED = "deleted", "deleted"  # its rows are on their way out

    class Reason(models.TextChoices):
        PERSON = "person", "switched off by a person"
        FAILING = "failing", "failed for too long"
        GONE = "gone", "answered 410 Gone"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    title = models.CharField(max_length=120)
    url = models.CharField(max_length=2000)
    description = models.TextField(blank=True, default="", db_default="")
    event_types = ArrayField(models.CharField(max_length=80))
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.ENABLED, db_default="enabled"
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(
        max_length=10, choices=Reason.choices, blank=True, default="", db_default=""
    )
    rate_per_minute = models.IntegerField(null=True, blank=True)  # null: as fast as it answers
    max_in_flight = models.SmallIntegerField(default=8, db_default=8)  # requests at once
    timeout_s = models.SmallIntegerField(default=15, db_default=15)  # of one whole request
    secret = SealedField()  # whsec_...; None if it cannot be read
    # During a rotation both sign, so that the receiver may change over whenever it likes.
    old_secret = SealedField(null=True, blank=True)
    old_secret_expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "webhook_endpoint"
        verbose_name = "webhook endpoint"
        permissions: ClassVar = [
            ("send_ping", "Can send a test event to a webhook endpoint"),
            ("reveal_secret", "Can read the signing secrets of webhook endpoints"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="disabled", disabled_at__isnull=False) & ~Q(disabled_reason="")
                | ~Q(state="disabled") & Q(disabled_at=None, disabled_reason=""),
                name="webhook_endpoint_disabled_says_why",
            ),
            models.CheckConstraint(
                condition=Q(old_secret=None, old_secret_expires_at=None)
                | Q(old_secret__isnull=False, old_secret_expires_at__isnull=False),
                name="webhook_endpoint_old_secret_ends",
            ),
            models.CheckConstraint(
                condition=Q(rate_per_minute=None) | Q(rate_per_minute__gte=1),
                name="webhook_endpoint_rate",
            ),
            models.CheckConstraint(
                condition=Q(max_in_flight__gte=1, max_in_flight__lte=64),
                name="webhook_endpoint_in_flight",
            ),
            models.CheckConstraint(
                condition=Q(timeout_s__gte=1, timeout_s__lte=30),
                name="webhook_endpoint_timeout",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Lane(models.Model):
    """Where one endpoint's deliveries stand: who sends them, what holds them back, how it goes.

    One run of one job holds a lane at a time, so that the throttle, the breaker and the number of
    requests at once hold over all workers. Written by the machine only.
    """

    endpoint = models.OneToOneField(Endpoint, models.CASCADE, primary_key=True, related_name="lane")
    job_id = models.UUIDField(null=True)
    fence = models.BigIntegerField(default=0, db_default=0)
    held_until = models.DateTimeField(null=True)  # by Postgres' own clock, as all leases
    failures = models.IntegerField(default=0, db_default=0)  # in a row: no answer, or a 5xx
    open_until = models.DateTimeField(null=True)  # the breaker: no request before this, then one
    paused_until = models.DateTimeField(null=True)  # it said Retry-After
    next_send_at = models.DateTimeField(null=True)  # the throttle
    failing_since = models.DateTimeField(null=True)  # the first failure after the last success
    warned = models.SmallIntegerField(default=0, db_default=0)  # per cent of the patience
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, default="", db_default="")

    class Meta:
        db_table = "webhook_lane"
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(
                fields=["failing_since"],
                condition=Q(failing_since__isnull=False),
                name="webhook_lane_failing",
            )
        ]

    def __str__(self) -> str:
        return f"lane of {self.endpoint_id}"
