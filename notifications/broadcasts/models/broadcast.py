"""One message to many, and how far it has come."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from lib.ids import uuid7


class Status(models.TextChoices):
    """Where a broadcast is; docs/broadcasts.md draws the arrows."""

    DRAFT = "draft", "draft"  # -> scheduled, sending, cancelled
    SCHEDULED = "scheduled", "scheduled"  # -> sending when it is due; -> draft, cancelled
    SENDING = "sending", "sending"  # -> paused, sent, failed, cancelled
    PAUSED = "paused", "paused"  # -> sending, cancelled
    SENT = "sent", "sent"  # every recipient has a fate; -> sending if it is sent again
    CANCELLED = "cancelled", "cancelled"  # for good
    FAILED = "failed", "failed"  # nobody got it; -> sending if it is sent again


class Phase(models.TextChoices):
    """What is being done while it is sending, or was when it was paused."""

    NONE = "", "none"
    EXPANDING = "expanding", "finding the recipients"
    CANARY = "canary", "trying with a few"
    DELIVERING = "delivering", "delivering"


class Channel(models.TextChoices):
    """Where people are told."""

    INBOX = "inbox", "inbox"
    TELEGRAM = "telegram", "Telegram"


def inbox_only() -> list[str]:
    return [Channel.INBOX.value]


class Broadcast(models.Model):
    """One message to an audience. `total = pending + sending + sent + failed + skipped + unknown`.

    The numbers are those of the ledger: whoever changes a row of it changes them in the same
    transaction (broadcast_count in migrations/sql/count.sql).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    title = models.CharField(max_length=200)
    title_ru = models.CharField(max_length=200, blank=True, default="", db_default="")
    body = models.TextField()
    body_ru = models.TextField(blank=True, default="", db_default="")  # '': body for everybody
    parse_mode = models.CharField(max_length=12, blank=True, default="", db_default="")  # or HTML
    data = models.JSONField(null=True, blank=True)  # free fields, shown to clients of the inbox
    audience = models.JSONField()  # {"type": ..., ...}; audiences/registry.py knows the types
    channels = ArrayField(models.CharField(max_length=12), default=inbox_only)
    created_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    scheduled_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", db_default="UTC")  # of its author
    canary_percent = models.SmallIntegerField(default=0, db_default=0)  # 0: no canary
    canary_max_errors = models.SmallIntegerField(default=5, db_default=5)  # percent of the canary

    status = models.CharField(
        max_length=12, choices=Status.choices, default=Status.DRAFT, db_default="draft"
    )
    phase = models.CharField(
        max_length=12, choices=Phase.choices, blank=True, default=Phase.NONE, db_default=""
    )
    paused_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    error = models.CharField(max_length=500, blank=True, default="", db_default="")
    total = models.BigIntegerField(default=0, db_default=0)
    sent = models.BigIntegerField(default=0, db_default=0)
    failed = models.BigIntegerField(default=0, db_default=0)
    skipped = models.BigIntegerField(default=0, db_default=0)
    unknown = models.BigIntegerField(default=0, db_default=0)
    unmatched = models.BigIntegerField(default=0, db_default=0)  # ids of the audience nobody has
    expanded_to = models.BigIntegerField(default=0, db_default=0)  # the last person in the ledger
    ledger_from = models.BigIntegerField(default=0, db_default=0)  # the id of its first row
    ledger_forgotten_at = models.DateTimeField(null=True, blank=True)  # its numbers stay
    # How fast it goes: measured anew every two seconds while it does.
    rate = models.FloatField(default=0, db_default=0)  # fates per second
    rate_done = models.BigIntegerField(default=0, db_default=0)
    rate_at = models.DateTimeField(null=True, blank=True)
    recall = models.JSONField(null=True, blank=True)  # recalling.py: {"mode", "state", ...}

    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cloned_from = models.UUIDField(null=True, blank=True)
    version = models.IntegerField(default=1, db_default=1)  # grows with each edit
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "notification_broadcasts"
        default_permissions = ("view", "add", "change")
        permissions: ClassVar = [
            ("send_broadcast", "Can send, schedule, resume and resend broadcasts"),
            ("operate_broadcast", "Can pause, cancel and recall broadcasts"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="notification_broadcasts_status"
            ),
            models.CheckConstraint(
                condition=Q(phase__in=Phase.values), name="notification_broadcasts_phase"
            ),
            models.CheckConstraint(
                condition=~Q(status="scheduled") | Q(scheduled_at__isnull=False),
                name="notification_broadcasts_scheduled_when",
            ),
            models.CheckConstraint(
                condition=Q(
                    total__gte=F("sent") + F("failed") + F("skipped") + F("unknown"),
                    sent__gte=0,
                    failed__gte=0,
                    skipped__gte=0,
                    unknown__gte=0,
                ),
                name="notification_broadcasts_sums",
            ),
            models.CheckConstraint(
                condition=Q(canary_percent__gte=0, canary_percent__lte=50),
                name="notification_broadcasts_canary",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["scheduled_at"],
                condition=Q(status="scheduled"),
                name="notification_broadcasts_due",
            ),
            models.Index(
                fields=["started_at"],
                condition=Q(status__in=["sending", "paused"]),
                name="notification_broadcasts_active",
            ),
            models.Index(fields=["status", "-id"], name="notification_broadcasts_state"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def done(self) -> int:
        """How many rows of the ledger have their fate."""
        return self.sent + self.failed + self.skipped + self.unknown

    @property
    def open(self) -> int:
        """How many rows of the ledger have no fate yet."""
        return self.total - self.done
