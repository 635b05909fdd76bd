"""One message to one person, and what became of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7
from notifications.inbox.models.recipient import Recipient


class State(models.TextChoices):
    """Where a notification is. Only `unread`, `read` and `auto_cleared` are shown to the person."""

    DEFERRED = "deferred", "deferred"  # quiet hours: -> unread at deliver_at
    UNREAD = "unread", "unread"  # on the screens, or waiting for one
    READ = "read", "read"  # acked
    AUTO_CLEARED = "auto_cleared", "auto-cleared"  # expired unread; -> read if acked all the same
    RECALLED = "recalled", "recalled"  # taken back by its sender
    REPLACED = "replaced", "replaced"  # a newer one with the same collapse key took its place
    MUTED = "muted", "muted"  # the person has muted the source: kept, never shown


VISIBLE = (State.UNREAD, State.READ, State.AUTO_CLEARED)


class Notification(models.Model):
    """A message to one person. It changes only under the lock of its recipient's row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recipient = models.ForeignKey(
        Recipient, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    # Positions are milliseconds that strictly grow for the recipient. Null: never shown.
    position = models.BigIntegerField(null=True)  # where it stands in the inbox
    version = models.BigIntegerField(null=True)  # position of its latest change
    edited = models.BigIntegerField(null=True)  # position of the latest change of its text or data
    state = models.CharField(max_length=12, choices=State.choices)
    message = models.TextField()
    source = models.CharField(max_length=100)
    created_at = models.DateTimeField()  # as the caller says, or when it was accepted
    accepted_at = models.DateTimeField(db_default=Now())
    deliver_at = models.DateTimeField(null=True)  # deferred until then
    expires_at = models.DateTimeField(null=True)  # ttl_s after it got its position
    ttl_s = models.IntegerField(default=900, db_default=900)
    collapse_key = models.CharField(max_length=200, null=True)
    priority = models.SmallIntegerField(default=2, db_default=2)  # 0 critical to 3 low
    data = models.JSONField(null=True)  # free fields of the caller, shown to clients
    read_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    recalled_at = models.DateTimeField(null=True)  # recalled or replaced
    edition = models.IntegerField(default=1, db_default=1)  # grows with each change of the text
    correlation_id = models.CharField(max_length=64, default="", db_default="")
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        db_index=False,
        db_constraint=False,
    )
    fallback_at = models.DateTimeField(null=True)  # unread by then: tell by Telegram
    fell_back_at = models.DateTimeField(null=True)  # when that was decided

    class Meta:
        default_permissions = ("view", "change")
        permissions: ClassVar = [("send_notification", "Can send notifications")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="inbox_notification_state"
            ),
            models.CheckConstraint(
                condition=Q(position__isnull=False, version__isnull=False)
                | ~Q(state__in=["unread", "read", "auto_cleared"]),
                name="inbox_notification_shown_stands",
            ),
            models.CheckConstraint(
                condition=Q(deliver_at__isnull=False) | ~Q(state="deferred"),
                name="inbox_notification_deferred_until",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["recipient", "version"],
                condition=Q(version__isnull=False),
                name="inbox_notification_changes",
            ),
            models.Index(
                fields=["recipient", "-position"],
                condition=Q(position__isnull=False),
                name="inbox_notification_history",
            ),
            models.Index(
                fields=["recipient", "position"],
                condition=Q(state="unread"),
                name="inbox_notification_unread",
            ),
            models.Index(
                fields=["recipient", "collapse_key"],
                condition=Q(state__in=["unread", "deferred"], collapse_key__isnull=False),
                name="inbox_notification_collapse",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state="unread"),
                name="inbox_notification_expiry",
            ),
            models.Index(
                fields=["deliver_at"],
                condition=Q(state="deferred"),
                name="inbox_notification_deferred",
            ),
            models.Index(
                fields=["fallback_at"],
                condition=Q(state="unread", fallback_at__isnull=False, fell_back_at=None),
                name="inbox_notification_fallback",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
