"""What services and rules look like over REST."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from monitoring.checks.models import ServiceOutage
from monitoring.checks.models.rule import RuleCondition
from monitoring.checks.models.service import ServiceState
from monitoring.checks.rules.rule import Unit
from monitoring.checks.selectors.rules import RuleView
from monitoring.checks.selectors.services import ServiceView

_UNWATCHED = "Null: nobody looked."


class ServiceUptimeShape(serializers.Serializer[Any]):
    day = serializers.FloatField(allow_null=True, help_text=f"Percent of 24 hours. {_UNWATCHED}")
    week = serializers.FloatField(allow_null=True, help_text="Percent of 7 days.")
    month = serializers.FloatField(allow_null=True, help_text="Percent of 30 days.")


class ServiceShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(
        choices=[*ServiceState.values, "unknown"],
        help_text="failing: once or twice in a row; down: three times or more; off: not configured; "
        "unknown: not looked at yet.",
    )
    since = serializers.DateTimeField(allow_null=True, help_text="Of the state.")
    checked_at = serializers.DateTimeField(allow_null=True)
    ok_at = serializers.DateTimeField(allow_null=True, help_text="The last look that succeeded.")
    latency_ms = serializers.FloatField(allow_null=True, help_text="Of the last look.")
    failures = serializers.IntegerField(help_text="Looks in a row that failed.")
    error = serializers.CharField(help_text="Of the last look, if it failed.")
    facts = serializers.DictField(help_text="What it said of itself at the last good look.")
    uptime = ServiceUptimeShape()


class ServicesShape(serializers.Serializer[Any]):
    items = ServiceShape(many=True)


class ServicesAskedShape(serializers.Serializer[Any]):
    job_id = serializers.UUIDField(help_text="The job that looks.")


class ServiceOutageShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    service = serializers.CharField(source="service_id")
    kind = serializers.ChoiceField(
        choices=ServiceOutage.Kind.values,
        help_text="down, refused (it answers, but not to our token), unwatched (we were off).",
    )
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    looks = serializers.IntegerField(help_text="That failed.")
    error = serializers.CharField()


class ServiceOutagesShape(serializers.Serializer[Any]):
    items = ServiceOutageShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class RulePartShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    value = serializers.FloatField()
    link = serializers.CharField()


class RuleShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    severity = serializers.ChoiceField(choices=["critical", "warning", "info"])
    unit = serializers.ChoiceField(choices=[str(unit) for unit in Unit])
    condition = serializers.ChoiceField(
        choices=[*RuleCondition.values, "new"],
        help_text="idle: nothing to measure; unknown: the value cannot be known now; new: not measured.",
    )
    value = serializers.FloatField(allow_null=True, help_text="In the unit.")
    text = serializers.CharField()
    threshold = serializers.FloatField(help_text="In force.")
    threshold_default = serializers.FloatField(help_text="That of the settings.")
    is_low_bad = serializers.BooleanField(help_text="An alert comes below the threshold.")
    ends_at = serializers.FloatField(help_text="The value at which an open alert ends.")
    cooldown_s = serializers.FloatField()
    is_on = serializers.BooleanField()
    measured_at = serializers.DateTimeField(allow_null=True)
    alerted_at = serializers.DateTimeField(allow_null=True, help_text="The last alert.")
    open_alerts = serializers.IntegerField()
    held_back = serializers.IntegerField(help_text="Alerts that the cooldown holds back.")
    parts = RulePartShape(many=True, help_text="What the value is made of, the worst first.")
    runbook = serializers.CharField(help_text="A path of the console: what to do.")


class RulesShape(serializers.Serializer[Any]):
    items = RuleShape(many=True)


class RuleChangeShape(serializers.Serializer[Any]):
    is_on = serializers.BooleanField(required=False)
    threshold = serializers.FloatField(
        required=False, allow_null=True, help_text="In the unit; null: as the settings say."
    )
    cooldown_s = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=604_800
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return attrs


def service_body(view: ServiceView) -> dict[str, Any]:
    """A service as it goes out."""
    row = view.row
    shares = {uptime.window.name: uptime.share for uptime in view.uptimes}
    return {
        "name": view.service.name,
        "title": view.service.title,
        "state": view.state,
        "since": row.since if row else None,
        "checked_at": row.checked_at if row else None,
        "ok_at": row.ok_at if row else None,
        "latency_ms": row.latency_ms if row else None,
        "failures": row.failures if row else 0,
        "error": row.error if row and row.failures else "",
        "facts": row.facts if row else {},
        "uptime": {
            "day": _rounded(shares, "24h"),
            "week": _rounded(shares, "7d"),
            "month": _rounded(shares, "30d"),
        },
    }


def _rounded(shares: Mapping[str, float | None], name: str) -> float | None:
    share = shares.get(name)
    return None if share is None else round(share, 4)


def rule_body(view: RuleView) -> dict[str, Any]:
    """A rule as it goes out."""
    rule, row = view.rule, view.row
    return {
        "name": rule.name,
        "title": rule.title,
        "summary": rule.summary,
        "severity": rule.severity,
        "unit": str(rule.unit),
        "condition": view.condition,
        "value": view.value,
        "text": row.text if row else "",
        "threshold": view.threshold,
        "threshold_default": rule.default,
        "is_low_bad": rule.is_low_bad,
        "ends_at": rule.ends_at(view.threshold),
        "cooldown_s": view.cooldown.total_seconds(),
        "is_on": view.is_on,
        "measured_at": row.measured_at if row else None,
        "alerted_at": row.alerted_at if row else None,
        "open_alerts": len(view.alerts),
        "held_back": row.held_back if row else 0,
        "parts": row.parts if row else [],
        "runbook": f"/admin/runbook/{rule.name}/",
    }
