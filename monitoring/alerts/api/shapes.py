"""What alerts look like over REST."""

from typing import Any

from rest_framework import serializers

from monitoring.alerts.links import path_of
from monitoring.alerts.models import Alert, AlertEvent, Severity
from monitoring.alerts.words import STATES, event_say, state_of

EXAMPLE_ID = "01a20226-4c1e-7b3f-9a52-6f2f0d9c7e10"
EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "rule": "node_offline",
    "key": "3f0c1c9e-7f0a-4a53-9a52-2f0d9c7e1011",
    "severity": "critical",
    "state": "acknowledged",
    "title": "Server fra-1 is offline",
    "text": "Since 2026-11-22 10:00:00 UTC (6 min).",
    "link": "/admin/nodes/node/3f0c1c9e-7f0a-4a53-9a52-2f0d9c7e1011/change/",
    "page": f"/admin/alerts/alert/{EXAMPLE_ID}/change/",
    "source": "monitoring.check_nodes",
    "runbook": "node_offline",
    "parent": None,
    "count": 3,
    "opened_at": "2026-11-22T10:02:00Z",
    "noticed_at": "2026-11-22T10:06:00Z",
    "told_at": "2026-11-22T10:02:31Z",
    "escalated_at": None,
    "acked_at": "2026-11-22T10:03:10Z",
    "acked_by": "olga",
    "assigned_to": "olga",
    "silenced_until": None,
    "silenced_by": "",
    "resolved_at": None,
    "resolved_by": "",
    "note": "",
}
STORY_EXAMPLE: list[dict[str, Any]] = [
    {
        "at": "2026-11-22T10:02:00Z",
        "kind": "opened",
        "by": "",
        "sentence": "Opened, critical",
        "details": {"severity": "critical"},
    }
]


class AlertOutput(serializers.Serializer[Any]):
    """One thing that is, or was, wrong."""

    id = serializers.UUIDField()
    rule = serializers.CharField()
    key = serializers.CharField(help_text="Of what. While open, rule and key are unique.")
    severity = serializers.ChoiceField(choices=Severity.choices)
    state = serializers.SerializerMethodField(help_text=f"One of {', '.join(STATES)}.")
    title = serializers.CharField()
    text = serializers.CharField()
    link = serializers.CharField(help_text="A path of the console: the thing itself.")
    page = serializers.SerializerMethodField(help_text="A path of the console: the alert.")
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="The kind of job that raised it."
    )
    runbook = serializers.CharField(help_text="A section of the runbook.")
    parent = serializers.UUIDField(  # type: ignore[assignment]
        source="parent_id", allow_null=True, help_text="The alert that explains this one."
    )
    count = serializers.IntegerField(help_text="How often it was noticed.")
    opened_at = serializers.DateTimeField()
    noticed_at = serializers.DateTimeField()
    told_at = serializers.DateTimeField(allow_null=True)
    escalated_at = serializers.DateTimeField(allow_null=True)
    acked_at = serializers.DateTimeField(allow_null=True)
    acked_by = serializers.CharField()
    assigned_to = serializers.CharField(source="assigned_to.username", default=None)
    silenced_until = serializers.DateTimeField(allow_null=True)
    silenced_by = serializers.CharField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolved_by = serializers.CharField(help_text="Empty: by itself, or not yet.")
    note = serializers.CharField()

    def get_state(self, alert: Alert) -> str:
        return state_of(alert)

    def get_page(self, alert: Alert) -> str:
        return path_of(alert)


class AlertEventOutput(serializers.Serializer[Any]):
    """A line of its story."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    by = serializers.CharField(help_text="Empty: the platform itself.")
    sentence = serializers.SerializerMethodField()
    details = serializers.DictField()

    def get_sentence(self, event: AlertEvent) -> str:
        return event_say(event)


class AlertDetailOutput(AlertOutput):
    """An alert with its story, the latest line last."""

    story = AlertEventOutput(many=True)
