"""The queue of Telegram messages, and what is known of each chat.

`notification_queue` is a contract: other backends insert into it with plain SQL, so every column that
they do not name has a default in the database, and a trigger wakes the lane.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now


class QueuedMessage(models.Model):
    """One message to one chat. Sent at least once, in order per chat and priority."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    id = models.BigAutoField(primary_key=True)
    telegram_id = models.BigIntegerField()
    message = models.TextField()
    notification_type = models.CharField(max_length=50, db_default="message")
    parse_mode = models.CharField(max_length=20, null=True, db_default="HTML")
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.PENDING, db_default="pending"
    )
    attempts = models.IntegerField(default=0, db_default=0)  # failed tries; a 429 is none
    scheduled_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    error_message = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    # Ours beyond the source's columns.
    priority = models.SmallIntegerField(db_default=2)  # 0 critical to 3 low
    next_attempt_at = models.DateTimeField(null=True, blank=True)  # null: scheduled_at
    dedup_key = models.CharField(max_length=160, null=True, blank=True)
    message_id = models.BigIntegerField(null=True, blank=True)  # Telegram's, unique in the chat
    reason = models.CharField(max_length=40, null=True, blank=True)  # why not sent, a stable word
    failed_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)  # being sent since
    claim_run = models.UUIDField(null=True, blank=True)  # the run of the lane that sends it
    maybe_doubled = models.BooleanField(default=False, db_default=False)
    tries = models.JSONField(default=list, db_default=[])  # [{"at", "outcome", "error"}]
    correlation_id = models.CharField(max_length=64, null=True, blank=True)
    reply_markup = models.JSONField(null=True, blank=True)  # an inline keyboard: keyboards.py

    class Meta:
        db_table = "notification_queue"
        verbose_name = "Telegram message"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "sent", "failed", "cancelled"]),
                name="notification_queue_status_known",
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=0, priority__lte=3),
                name="notification_queue_priority_known",
            ),
            models.CheckConstraint(
                condition=Q(claimed_at=None) | Q(status="pending"),
                name="notification_queue_claimed_is_pending",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                F("priority"),
                Coalesce("next_attempt_at", "scheduled_at"),
                F("id"),
                condition=Q(status="pending", claimed_at=None),
                name="notification_queue_due",
            ),
            models.Index(
                fields=["telegram_id", "priority", "scheduled_at", "id"],
                condition=Q(status="pending"),
                name="notification_queue_chat",
            ),
            models.Index(
                fields=["claimed_at"],
                condition=Q(claimed_at__isnull=False),
                name="notification_queue_claimed",
            ),
            models.Index(fields=["telegram_id", "-id"], name="notification_queue_story"),
            models.Index(fields=["status", "-id"], name="notification_queue_status"),
            models.Index(
                fields=["failed_at"],
                condition=Q(failed_at__isnull=False),
                name="notification_queue_failed",
            ),
            models.Index(
                fields=["id"],
                condition=Q(status="pending", attempts__gt=0),
                name="notification_queue_retrying",
            ),
            models.Index(
                fields=["id"],
                condition=Q(maybe_doubled=True),
                name="notification_queue_doubled",
            ),
            models.Index(
                fields=["dedup_key", "-id"],
                condition=Q(dedup_key__isnull=False),
                name="notification_queue_dedup",
            ),
            models.Index(
                fields=["id"],
                condition=Q(status="pending", reason="unauthorized"),
                name="notification_queue_refused",
            ),
        ]
        permissions: ClassVar = [
            ("send_message", "Can queue Telegram messages"),
            ("operate_message", "Can retry and cancel Telegram messages"),
        ]

    def __str__(self) -> str:
        return f"message {self.pk} to {self.telegram_id}"


class Chat(models.Model):
    """What the lane knows of a chat: when it may be written to, and why it may not."""

    chat_id = models.BigIntegerField(primary_key=True)
    next_at = models.DateTimeField(null=True)  # no message before this
    migrated_to = models.BigIntegerField(null=True)  # where its messages go since
    unreachable_since = models.DateTimeField(null=True)
    unreachable_reason = models.CharField(max_length=40, null=True)
    last_sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "telegram_chat"
        indexes: ClassVar = [
            models.Index(
                fields=["-unreachable_since", "chat_id"],
                condition=Q(unreachable_since__isnull=False),
                name="telegram_chat_unreachable",
            )
        ]

    def __str__(self) -> str:
        return str(self.chat_id)


class Dedup(models.Model):
    """Which message holds a key, and until when others with the same key are dropped."""

    key = models.CharField(max_length=160, primary_key=True)
    message = models.ForeignKey(QueuedMessage, models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "telegram_dedup"

    def __str__(self) -> str:
        return self.key


class Stat(models.Model):
    """Counts of one minute, written with the fates they count; folded together when older.

    Statuses: sent, retried, failed, unreachable, cancelled. Each transaction appends its own rows, so
    that no two of them wait for each other.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()  # start of the minute
    type = models.CharField(max_length=50)
    status = models.CharField(max_length=12)
    count = models.BigIntegerField()

    class Meta:
        db_table = "telegram_stat"
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["at"], name="telegram_stat_at")]

    def __str__(self) -> str:
        return f"{self.at:%F %R} {self.type} {self.status}: {self.count}"
