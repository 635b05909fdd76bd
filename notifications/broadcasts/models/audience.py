"""Lists of people that came in a file."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from lib.ids import uuid7


class Audience(models.Model):
    """One imported list. It is never changed: a new file is a new list."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=300, blank=True, default="", db_default="")  # file, folder
    mapping = models.JSONField(default=dict)  # {"user_id": "id", "login": "name"}: ours -> theirs
    rows = models.BigIntegerField(default=0, db_default=0)
    members = models.BigIntegerField(default=0, db_default=0)
    duplicates = models.BigIntegerField(default=0, db_default=0)
    rejected = models.BigIntegerField(default=0, db_default=0)
    rejects = models.JSONField(default=list)  # [{"line", "reason", "text"}], the first 1,000
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "broadcast_audience"
        default_permissions = ("view", "add", "delete")

    def __str__(self) -> str:
        return f"{self.name} ({self.members})"


class AudienceMember(models.Model):
    """One person of a list."""

    id = models.BigAutoField(primary_key=True)
    audience = models.ForeignKey(Audience, models.CASCADE, related_name="+", db_index=False)
    recipient_id = models.BigIntegerField()  # inbox_recipient.id

    class Meta:
        db_table = "broadcast_audience_member"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["audience", "recipient_id"], name="broadcast_audience_member_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.recipient_id)
