"""A person as backends name them, where their inbox stands, and how they wish to be told."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Recipient(models.Model):
    """One person: made by the first notification or the first connection.

    Its row is the lock of the inbox: whoever changes a notification of this person holds it, and
    takes the next position from it.
    """

    id = models.BigAutoField(primary_key=True)
    user_id = models.BigIntegerField()
    login = models.CharField(max_length=150)
    last_position = models.BigIntegerField(default=0, db_default=0)
    unread = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    retention_days = models.SmallIntegerField(default=15, db_default=15)
    # Changes at or below are gone: who stopped reading there starts anew.
    trimmed_to = models.BigIntegerField(default=0, db_default=0)
    telegram_id = models.BigIntegerField(null=True, blank=True)
    language = models.CharField(max_length=8, blank=True, default="", db_default="")
    muted_sources = ArrayField(
        models.CharField(max_length=100), default=list, db_default=[], blank=True
    )
    quiet_from = models.TimeField(null=True, blank=True)  # on the clock of time_zone
    quiet_to = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    fallback_after_s = models.IntegerField(null=True, blank=True)

    class Meta:
        default_permissions = ("view", "change")
        permissions: ClassVar = [("issue_ticket", "Can issue tickets for WebSocket connections")]
        indexes: ClassVar = [
            models.Index(
                fields=["telegram_id"],
                condition=Q(telegram_id__isnull=False),
                name="inbox_recipient_chat",
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user_id", "login"], name="inbox_recipient_once"),
            models.CheckConstraint(
                condition=Q(retention_days__gte=1, retention_days__lte=15),
                name="inbox_recipient_retention",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False)
                & ~Q(quiet_from=F("quiet_to")),
                name="inbox_recipient_quiet",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}-{self.login}"
