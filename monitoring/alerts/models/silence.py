"""A silence: until a time nobody is told of alerts that fit it. Also a planned maintenance window."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Silence(models.Model):
    """Fits alerts by rule and key; in both `*` stands for anything. ended_at: taken back before its end."""

    id = models.BigAutoField(primary_key=True)
    rule = models.CharField(max_length=60)
    key = models.CharField(max_length=200, default="*", db_default="*")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=300, default="", db_default="", blank=True)
    alert = models.ForeignKey(
        "alerts.Alert", models.SET_NULL, null=True, related_name="silences", db_index=False
    )  # from which it was made
    created_by = models.CharField(max_length=150, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        db_table = "alert_silence"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="alert_silence_forwards"
            ),
            models.CheckConstraint(
                condition=~Q(rule="") & ~Q(key=""), name="alert_silence_says_what"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["ends_at"], condition=Q(ended_at=None), name="alert_silence_in_force"
            ),
            models.Index(fields=["-starts_at", "-id"], name="alert_silence_latest"),
            models.Index(fields=["alert"], name="alert_silence_alert"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.key}"
