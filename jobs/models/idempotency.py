"""Answers kept for callers who ask twice."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class KeptAnswer(models.Model):
    """What was answered to a request with an Idempotency-Key. Forgotten after a day."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    scope = models.CharField(max_length=80)  # what was asked: "POST /v1/worker/jobs"
    key = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)  # SHA-256 of the body that came with the key
    status = models.SmallIntegerField()
    answer = models.TextField()  # JSON, byte for byte as it was sent
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "scope", "key"], name="jobs_keptanswer_one_per_key"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="jobs_keptanswer_age")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
