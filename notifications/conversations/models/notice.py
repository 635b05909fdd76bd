"""What became of each timer, and how often."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from notifications.conversations.models.dialog import USER_LIMIT, Dialog, Participant


class Fate(models.TextChoices):
    """What a timer came to."""

    SENT = "sent", "sent"  # an event was stored for the webhooks
    SKIPPED = "skipped", "skipped"  # nobody needed to be told


class Reason(models.TextChoices):
    """Why a person was not told."""

    READ = "read", "had read it"
    DISABLED = "disabled", "notifications are off"
    LEFT = "left", "had left the dialog"
    SWITCHED_OFF = "switched_off", "the site sends none"
    NO_ENDPOINT = "no_endpoint", "no webhook endpoint asks for it"


class Notice(models.Model):
    """The end of one timer: whether a person was told of a message, and why not.

    A message without a row here was followed by another before its timer rang: the notice of the
    later one stands for both.
    """

    id = models.BigAutoField(primary_key=True)
    dialog = models.ForeignKey(Dialog, models.CASCADE, related_name="+", db_index=False)
    participant = models.ForeignKey(Participant, models.CASCADE, related_name="+", db_index=False)
    user_id = models.CharField(max_length=USER_LIMIT)
    message_id = models.UUIDField()
    position = models.BigIntegerField()  # of the message
    fate = models.CharField(max_length=8, choices=Fate.choices)
    reason = models.CharField(
        max_length=16, choices=Reason.choices, blank=True, default="", db_default=""
    )
    unread = models.IntegerField()  # messages unread at that moment
    sent_at = models.DateTimeField()  # of the message
    at = models.DateTimeField()  # when the timer rang
    event_id = models.UUIDField(null=True)  # of the webhooks
    job_id = models.UUIDField(null=True)

    class Meta:
        db_table = "conversation_notice"
        default_permissions = ("view",)
        verbose_name = "smart notification"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["participant", "position"], name="conversation_notice_once"
            ),
            models.CheckConstraint(
                condition=Q(fate="sent", reason="", event_id__isnull=False)
                | Q(fate="skipped", event_id=None) & ~Q(reason=""),
                name="conversation_notice_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["dialog", "position"], name="conversation_notice_dialog"),
            models.Index(fields=["user_id", "-id"], name="conversation_notice_user"),
            models.Index(F("fate"), F("reason"), F("id").desc(), name="conversation_notice_fate"),
            models.Index(fields=["at"], name="conversation_notice_age"),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk} to {self.user_id}"


class Stat(models.Model):
    """Counts of one minute, appended in the transaction of what they count; folded when older.

    Events: message, debounced, sent, skipped (with its reason), archived.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()  # start of the minute
    event = models.CharField(max_length=12)
    reason = models.CharField(max_length=16, default="", db_default="")
    count = models.BigIntegerField()

    class Meta:
        db_table = "conversation_stat"
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["at"], name="conversation_stat_at")]

    def __str__(self) -> str:
        return f"{self.at:%F %R} {self.event}: {self.count}"
