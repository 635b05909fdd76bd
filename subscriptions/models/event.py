"""What happened to a subscriber: the timeline that support reads."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from subscriptions.models.subscriber import Subscriber


class SubscriberEvent(models.Model):
    """One line. kind is a short code (subscriptions/words.py says it for people).

    source: panel, payment, sweep, bulk, staff, mirror, file. data: before and after, ids as strings.
    """

    id = models.BigAutoField(primary_key=True)
    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, related_name="events", db_index=False
    )
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=40)
    source = models.CharField(max_length=12)
    data = models.JSONField(default=dict, db_default={})
    actor = models.CharField(max_length=150, default="", db_default="")
    payment_id = models.UUIDField(null=True)
    job_id = models.UUIDField(null=True)
    correlation_id = models.CharField(max_length=128, null=True)

    class Meta:
        db_table = "subscriber_event"
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["subscriber", "-id"], name="subscriber_event_story"),
            models.Index(fields=["at"], name="subscriber_event_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M} UTC"
