"""What providers and the panel sent us: the raw body, written before it is answered."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Intake(models.TextChoices):
    """What became of one delivery."""

    RECEIVED = "received", "received"  # valid, waits for its job
    PROCESSED = "processed", "processed"
    DUPLICATE = "duplicate", "duplicate"  # the same event came before
    REJECTED = "rejected", "rejected"  # wrong signature, or not readable
    UNMATCHED = "unmatched", "unmatched"  # valid, but about nothing that we know
    FAILED = "failed", "failed"  # tried as often as it may; a person can replay it


class IncomingWebhook(models.Model):
    """One delivery as it came. headers: only those named by its source, never a secret.

    key tells two deliveries of one event: the source makes it. A replay processes the row again.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=20)  # "cryptobot", "remnawave"
    kind = models.CharField(max_length=20, default="", db_default="")  # payment, user_event, ...
    event = models.CharField(max_length=60, default="", db_default="")  # as the sender calls it
    key = models.CharField(max_length=200, default="", db_default="")
    body = models.BinaryField()
    headers = models.JSONField(default=dict, db_default={})
    remote_address = models.CharField(max_length=45, default="", db_default="")
    is_valid = models.BooleanField(default=False, db_default=False)
    state = models.CharField(max_length=10, choices=Intake.choices)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    last_error = models.CharField(max_length=500, default="", db_default="")
    object_ref = models.CharField(max_length=80, default="", db_default="")  # "payment:<id>"
    received_at = models.DateTimeField(db_default=Now())
    processed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "incoming_webhook"
        default_permissions = ("view",)
        permissions: ClassVar = [("operate_incomingwebhook", "Can replay what came in")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "key"],
                condition=Q(state__in=["received", "processed", "failed", "unmatched"])
                & ~Q(key=""),
                name="incoming_webhook_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["received_at"], condition=Q(state="received"), name="incoming_webhook_due"
            ),
            models.Index(fields=["source", "-id"], name="incoming_webhook_source"),
            models.Index(fields=["state", "-id"], name="incoming_webhook_state"),
            models.Index(fields=["object_ref", "-id"], name="incoming_webhook_object"),
            models.Index(fields=["received_at"], name="incoming_webhook_age"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.event or 'delivery'} {self.pk}"
