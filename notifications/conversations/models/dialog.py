"""A dialog, who takes part in it, and what was said."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from lib.ids import uuid7

USER_LIMIT = 64  # characters of the id of a person, as the backend that owns them writes it
TITLE_LIMIT = 200
TEXT_LIMIT = 10_000


class Dialog(models.Model):
    """A conversation. Its row is the lock of its messages: each takes the next position from it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    title = models.CharField(max_length=TITLE_LIMIT, blank=True, default="", db_default="")
    last_position = models.BigIntegerField(default=0, db_default=0)  # of the latest message
    active_at = models.DateTimeField()  # the latest message, or when it was made
    archived_at = models.DateTimeField(null=True)  # put away unused; null again with a message
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "conversation_dialog"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate_dialog", "Can make dialogs, change who takes part, archive for all"),
            ("send_message", "Can send, read, leave and archive in the name of a participant"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-active_at", "-id"], name="conversation_dialog_recent"),
            models.Index(
                fields=["active_at"],
                condition=Q(archived_at=None),
                name="conversation_dialog_idle",
            ),
            models.Index(
                fields=["-active_at", "-id"],
                condition=Q(archived_at__isnull=False),
                name="conversation_dialog_away",
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.pk)


class Participant(models.Model):
    """One person in one dialog. Its row is locked by whoever reads, leaves, or is about to tell.

    `pending_*` is the timer that runs for this person: the latest message that it is about, and
    since when somebody waits. Null: nobody waits.
    """

    id = models.BigAutoField(primary_key=True)
    dialog = models.ForeignKey(Dialog, models.CASCADE, related_name="participants", db_index=False)
    user_id = models.CharField(max_length=USER_LIMIT)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    last_read_position = models.BigIntegerField(default=0, db_default=0)
    last_read_at = models.DateTimeField(null=True)
    unread = models.IntegerField(default=0, db_default=0)
    notifications_enabled = models.BooleanField(default=True, db_default=True)
    is_archived = models.BooleanField(default=False, db_default=False)
    pending_position = models.BigIntegerField(null=True)
    pending_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "conversation_participant"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dialog", "user_id"], name="conversation_participant_once"
            ),
            models.CheckConstraint(
                condition=Q(unread__gte=0), name="conversation_participant_unread"
            ),
            models.CheckConstraint(
                condition=Q(pending_position=None, pending_since=None)
                | Q(pending_position__isnull=False, pending_since__isnull=False),
                name="conversation_participant_pending",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user_id", "dialog"], name="conversation_participant_user"),
            models.Index(
                fields=["user_id", "dialog"],
                condition=Q(left_at=None, is_archived=False),
                name="conversation_participant_desk",
            ),
            models.Index(
                fields=["dialog"],
                condition=Q(left_at=None, unread__gt=0),
                name="conversation_participant_owes",
            ),
            models.Index(
                fields=["pending_since"],
                condition=Q(pending_position__isnull=False),
                name="conversation_participant_waits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.dialog_id}"


class Message(models.Model):
    """What somebody said. Never changes; positions grow by one within a dialog."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dialog = models.ForeignKey(Dialog, models.CASCADE, related_name="messages", db_index=False)
    position = models.BigIntegerField()
    sender_id = models.CharField(max_length=USER_LIMIT)
    text = models.TextField()
    sent_at = models.DateTimeField()

    class Meta:
        db_table = "conversation_message"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dialog", "position"], name="conversation_message_once")
        ]

    def __str__(self) -> str:
        return f"message {self.position} of {self.dialog_id}"
