"""What happened, to whom it must be told, and each try to do so."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from notifications.webhooks.models.endpoint import Endpoint


class Event(models.Model):
    """Something that happened, as the bytes that receivers get."""

    id = models.UUIDField(primary_key=True)
    type = models.CharField(max_length=80)
    body = models.TextField()  # JSON: {"type", "timestamp", "data"}; signed and sent as it stands
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "webhook_event"
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="webhook_event_created"),
            models.Index(fields=["type", "created_at"], name="webhook_event_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Delivery(models.Model):
    """One event for one endpoint. Delivered at least once; the event's id tells repeats apart."""

    class State(models.TextChoices):
        PENDING = "pending", "pending"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "failed"  # all tries are used up
        CANCELLED = "cancelled", "cancelled"

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", db_index=False)
    endpoint = models.ForeignKey(
        Endpoint, models.CASCADE, related_name="deliveries", db_index=False
    )
    event_type = models.CharField(max_length=80)  # that of the event: lists filter by it
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.PENDING, db_default="pending"
    )
    tries = models.IntegerField(default=0, db_default=0)  # of the ladder; a 429 spends none
    attempts = models.IntegerField(default=0, db_default=0)  # requests made, whatever came of them
    next_attempt_at = models.DateTimeField()  # of a pending one
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_status = models.SmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True, default="", db_default="")
    replays = models.SmallIntegerField(default=0, db_default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "webhook_delivery"
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_delivery", "Can replay and cancel webhook deliveries")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(state="pending", finished_at=None)
                | Q(state__in=["delivered", "failed", "cancelled"], finished_at__isnull=False),
                name="webhook_delivery_finished",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_attempt_at", "id"],
                condition=Q(state="pending"),
                name="webhook_delivery_due",
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(state="failed"),
                name="webhook_delivery_given_up",
            ),
            models.Index(fields=["endpoint", "created_at"], name="webhook_delivery_since"),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_endpoint"),
            models.Index(fields=["endpoint", "state", "-id"], name="webhook_delivery_fate"),
            models.Index(fields=["state", "-id"], name="webhook_delivery_state"),
            models.Index(fields=["event_type", "-id"], name="webhook_delivery_type"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class Attempt(models.Model):
    """One request and what came of it. Appended, never changed. In days (migrations/0004)."""

    class Outcome(models.TextChoices):
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "failed"
        THROTTLED = "throttled", "asked to wait"  # 429 with Retry-After

    id = models.BigAutoField(primary_key=True)  # in the table the key is (id, at)
    delivery = models.ForeignKey(
        Delivery, models.CASCADE, related_name="attempt_log", db_index=False, db_constraint=False
    )
    endpoint_id = models.UUIDField()
    number = models.IntegerField()  # 1 is the first
    at = models.DateTimeField()  # when the request began
    duration_ms = models.IntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    status = models.SmallIntegerField(null=True)  # null: no answer
    error = models.CharField(max_length=300, default="", db_default="")
    url = models.CharField(max_length=2000)
    response_type = models.CharField(max_length=100, default="", db_default="")
    response_body = models.TextField(default="", db_default="")  # the first 20 kB

    class Meta:
        db_table = "webhook_attempt"
        verbose_name = "webhook attempt"
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["delivery", "id"], name="webhook_attempt_delivery"),
            models.Index(fields=["endpoint_id", "-id"], name="webhook_attempt_endpoint"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of delivery {self.delivery_id}"
