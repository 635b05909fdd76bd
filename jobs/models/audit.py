"""Who did what in the console or over the API."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One act of a person or a service account. Written in the transaction of the act."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    account_name = models.CharField(max_length=150)  # as it was then
    action = models.CharField(max_length=80)  # "jobs.replay", "queues.pause"
    object_type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=200)
    changes = models.JSONField(default=dict)
    correlation_id = models.CharField(max_length=64, null=True)

    class Meta:
        verbose_name_plural = "audit log"
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["object_type", "object_id", "-id"], name="jobs_audit_object"),
            models.Index(fields=["action", "-id"], name="jobs_audit_action"),
            models.Index(fields=["account_name", "-id"], name="jobs_audit_who"),
            models.Index(fields=["at"], name="jobs_audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.account_name} {self.action} {self.object_type} {self.object_id}"
