"""An alert: one thing that is wrong, from the moment it is noticed until it is well again."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from lib.ids import uuid7


class Severity(models.TextChoices):
    """How soon a person should look."""

    CRITICAL = "critical", "critical"
    WARNING = "warning", "warning"
    INFO = "info", "info"


class Alert(models.Model):
    """One thing. While it is open, (rule, key) is unique: whoever notices it again raises `count`.

    rule: what kind of thing, such as node_offline; key: of what, such as a uuid. Hidden: `parent` is
    open and explains it, so nobody is told. told_at: when people were told that it is open. A silence
    or an acknowledgement stops telling and escalation, not the alert.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    title = models.CharField(max_length=200)
    text = models.TextField(default="", db_default="")
    link = models.CharField(max_length=300, default="", db_default="")  # a path of the console
    source = models.CharField(max_length=60, default="", db_default="")  # a kind of job
    runbook = models.CharField(
        max_length=60, default="", db_default=""
    )  # anchor in docs/runbook.md
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="children", db_index=False
    )
    count = models.PositiveIntegerField(default=1, db_default=1)
    opened_at = models.DateTimeField()
    noticed_at = models.DateTimeField()  # the last time
    told_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    acked_at = models.DateTimeField(null=True)
    acked_by = models.CharField(max_length=150, default="", db_default="")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    silenced_until = models.DateTimeField(null=True)
    silenced_by = models.CharField(max_length=150, default="", db_default="")
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=150, default="", db_default="")  # empty: by itself
    note = models.TextField(default="", db_default="", blank=True)  # what it was, afterwards
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "alert"
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("operate_alert", "Can acknowledge, silence, assign and resolve alerts")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "key"], condition=Q(resolved_at=None), name="alert_one_open"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="alert_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(resolved_at__gte=F("opened_at")),
                name="alert_forwards",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="alert_not_its_own_parent"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["severity", "opened_at"],
                condition=Q(resolved_at=None),
                name="alert_open",
            ),
            models.Index(fields=["-opened_at", "-id"], name="alert_latest"),
            models.Index(fields=["rule", "key", "-opened_at"], name="alert_rule_key"),
            models.Index(fields=["parent"], name="alert_parent"),
        ]

    def __str__(self) -> str:
        return self.title


class AlertEvent(models.Model):
    """A line of an alert's story: opened, noticed, told, acknowledged, silenced, escalated, resolved."""

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=20)
    by = models.CharField(max_length=150, default="", db_default="")
    details = models.JSONField(default=dict, db_default={})
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "alert_event"
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["alert", "id"], name="alert_event_alert"),
            models.Index(fields=["-at"], name="alert_event_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M} UTC"
