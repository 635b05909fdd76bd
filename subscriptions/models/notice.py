"""What a subscriber is told about the end of his time: once per stage and expiry date."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from subscriptions.models.subscriber import Subscriber


class Stage(models.TextChoices):
    """How near the end is."""

    DAYS_7 = "7d", "7 days before"
    DAYS_3 = "3d", "3 days before"
    HOURS_24 = "24h", "24 hours before"
    HOURS_6 = "6h", "6 hours before"
    EXPIRED = "expired", "at the end"


class NoticeState(models.TextChoices):
    """What became of it."""

    DUE = "due", "due"  # the panel is read again before it is sent
    QUEUED = "queued", "handed to Telegram's queue"
    SKIPPED = "skipped", "skipped"  # reason says why
    STALE = "stale", "no longer true"  # paid or moved meanwhile: nothing was sent


class Notice(models.Model):
    """One message of the life cycle. message_id: the row of notification_queue that carries it.

    job_id: the job that is to decide it.
    """

    id = models.BigAutoField(primary_key=True)
    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, related_name="notices", db_index=False
    )
    stage = models.CharField(max_length=7, choices=Stage.choices)
    expire_at = models.DateTimeField()
    state = models.CharField(max_length=7, choices=NoticeState.choices)
    reason = models.CharField(max_length=40, default="", db_default="")
    message_id = models.BigIntegerField(null=True)
    job_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "subscription_notice"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscriber", "stage", "expire_at"], name="subscription_notice_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(state="due"), name="subscription_notice_due"),
            models.Index(fields=["created_at"], name="subscription_notice_age"),
            models.Index(fields=["state", "-id"], name="subscription_notice_by_state"),
            models.Index(
                fields=["reason", "-id"],
                condition=~Q(reason=""),
                name="subscription_notice_reason",
            ),
            models.Index(fields=["stage", "-id"], name="subscription_notice_by_stage"),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}: {self.state}"
