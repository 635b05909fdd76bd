"""What happened lately that everybody who looks at the dashboard should see."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class EventSeverity(models.TextChoices):
    """How it is shown; the words are those of alerts."""

    CRITICAL = "critical", "critical"
    WARNING = "warning", "warning"
    INFO = "info", "info"


class PlatformEvent(models.Model):
    """One line of the feed, as it was then. Kept for EVENTS_KEPT (monitoring.dashboard.forgetting).

    kind: what it is about, such as alert_opened, node_offline, payment_completed; link: a path of the
    console, or empty.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    link = models.CharField(max_length=300, default="", db_default="")
    severity = models.CharField(
        max_length=8, choices=EventSeverity.choices, default=EventSeverity.INFO, db_default="info"
    )
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "platform_event"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(severity__in=EventSeverity.values), name="platform_event_severity_known"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["at"], name="platform_event_at")]

    def __str__(self) -> str:
        return self.title
