"""A telling: one message in words, to one or more chats, about one or more alerts."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Telling(models.Model):
    """What was queued for people, in the transaction that marked its alerts as told.

    The buttons below the message carry its id. messages: ids in notification_queue, one per chat; those
    rows go after some days, this one stays with its alerts.
    """

    class Kind(models.TextChoices):
        OPENED = "opened", "opened"
        AGAIN = "again", "again"
        RESOLVED = "resolved", "resolved"
        SUMMARY = "summary", "summary"
        REMINDER = "reminder", "reminder"
        ESCALATION = "escalation", "escalation"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    alert_ids = ArrayField(models.UUIDField())
    chats = ArrayField(models.BigIntegerField())
    messages = ArrayField(models.BigIntegerField(), default=list)
    text = models.TextField()  # Telegram HTML, as it was queued
    at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "alert_telling"
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["-at", "-id"], name="alert_telling_latest")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M} UTC"
