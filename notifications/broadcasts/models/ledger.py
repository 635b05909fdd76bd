"""The ledger: who was to get a broadcast on which channel, and what became of it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from notifications.broadcasts.models.broadcast import Broadcast


class Fate(models.TextChoices):
    """What became of one recipient on one channel."""

    PENDING = "pending", "pending"
    SENDING = "sending", "sending"  # claimed: the request may be on its way
    SENT = "sent", "sent"
    FAILED = "failed", "failed"  # refused for good, or tried too often
    SKIPPED = "skipped", "skipped"  # not to be told: muted, no Telegram, cancelled
    UNKNOWN = "unknown", "unknown"  # it may have arrived: only a person sends it again


class LedgerRow(models.Model):
    """One recipient on one channel. Rows are written by set-based SQL only."""

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(
        Broadcast, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    recipient_id = models.BigIntegerField()  # inbox_recipient.id
    telegram_id = models.BigIntegerField(null=True)  # as it was when it was sent
    channel = models.CharField(max_length=12)
    language = models.CharField(max_length=8, default="", db_default="")
    fate = models.CharField(max_length=8, choices=Fate.choices)
    reason = models.CharField(max_length=40, default="", db_default="")  # reasons.py has the words
    detail = models.CharField(max_length=300, default="", db_default="")
    attempts = models.SmallIntegerField(default=0, db_default=0)
    is_canary = models.BooleanField(default=False, db_default=False)
    message_ref = models.CharField(max_length=36, null=True)  # Telegram's number, or the uuid
    recall = models.CharField(max_length=12, null=True)  # what became of taking it back
    run_id = models.UUIDField(null=True)  # the run of the Telegram lane that claimed it
    next_at = models.DateTimeField(null=True)  # pending, but not before this
    at = models.DateTimeField(null=True)  # of the fate

    class Meta:
        db_table = "broadcast_ledger"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["broadcast", "channel", "recipient_id"], name="broadcast_ledger_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["broadcast", "channel", "id"],
                condition=Q(fate="pending"),
                name="broadcast_ledger_pending",
            ),
            models.Index(
                fields=["broadcast", "channel", "id"],
                condition=Q(is_canary=True),
                name="broadcast_ledger_canary",
            ),
            models.Index(
                fields=["at"], condition=Q(fate="sending"), name="broadcast_ledger_sending"
            ),
            models.Index(
                fields=["broadcast", "fate", "reason", "id"],
                condition=Q(fate__in=["failed", "skipped", "unknown"]),
                name="broadcast_ledger_missed",
            ),
            models.Index(
                fields=["broadcast", "telegram_id"],
                condition=Q(channel="telegram", telegram_id__isnull=False),
                name="broadcast_ledger_chat",
            ),
            models.Index(fields=["recipient_id", "-id"], name="broadcast_ledger_person"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of {self.recipient_id}: {self.fate}"


class Tally(models.Model):
    """How many rows of a ledger are where: the ledger, counted, so that screens cost nothing."""

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(
        Broadcast, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    channel = models.CharField(max_length=12)
    fate = models.CharField(max_length=8)
    reason = models.CharField(max_length=40, default="", db_default="")
    count = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "broadcast_tally"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["broadcast", "channel", "fate", "reason"], name="broadcast_tally_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.fate} {self.reason}: {self.count}"
