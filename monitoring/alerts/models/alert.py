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

    rule: what kind of thing, such as node_offline; key: of what, such as a uuid. parent_rule and
    parent_key say what may explain it; hidden: `parent` is open and does explain it, so nobody is told.
    tell_at: there is something to tell, not before this moment; null: nothing. told_at: when people were
    told that it is open. A silence or an acknowledgement stops telling and escalation, not the alert.
    silenced_until follows the rows of Silence that fit it. title and text: in English; says: the same as
    an entry of wording/catalogue.py with its values, for other languages; empty: there are only these.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    title = models.CharField(max_length=200)
    text = models.TextField(default="", db_default="")
    says = models.JSONField(default=dict, db_default={}, editable=False)
    link = models.CharField(max_length=300, default="", db_default="")  # a path of the console
    source = models.CharField(max_length=60, default="", db_default="")  # a kind of job
    runbook = models.CharField(
        max_length=60, default="", db_default=""
    )  # anchor in docs/runbook.md
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="children", db_index=False
    )
    parent_rule = models.CharField(max_length=60, default="", db_default="")
    parent_key = models.CharField(max_length=200, default="", db_default="")
    count = models.PositiveIntegerField(default=1, db_default=1)
    opened_at = models.DateTimeField()
    noticed_at = models.DateTimeField()  # the last time
    tell_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    last_told_at = models.DateTimeField(null=True)  # also by a reminder, or that it came again
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
            ("operate_alert", "Can acknowledge, silence, assign and resolve alerts"),
            ("send_alert", "Can raise alerts from outside"),
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
            models.Index(
                fields=["tell_at"], condition=Q(tell_at__isnull=False), name="alert_to_tell"
            ),
            models.Index(
                fields=["parent_rule", "parent_key"],
                condition=Q(resolved_at=None) & ~Q(parent_rule=""),
                name="alert_explained_by",
            ),
            models.Index(
                fields=["resolved_at"],
                condition=Q(resolved_at__isnull=False),
                name="alert_resolved",
            ),
            models.Index(
                fields=["assigned_to", "-opened_at"],
                condition=Q(assigned_to__isnull=False),
                name="alert_assigned",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Not resolved."""
        return self.resolved_at is None


class EventKind(models.TextChoices):
    """What a line of the story says."""

    OPENED = "opened", "opened"
    WORSE = "worse", "got worse"
    AGAIN = "again", "came again"
    TOLD = "told", "told"
    REMINDED = "reminded", "reminded"
    ESCALATED = "escalated", "escalated"
    ACKED = "acknowledged", "acknowledged"
    SILENCED = "silenced", "silenced"
    UNSILENCED = "unsilenced", "unsilenced"
    ASSIGNED = "assigned", "assigned"
    RECHECKED = "rechecked", "checked again"
    RESOLVED = "resolved", "resolved"
    NOTED = "noted", "note written"


class AlertEvent(models.Model):
    """A line of an alert's story. by: a person; empty is the platform itself."""

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=20, choices=EventKind.choices)
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
