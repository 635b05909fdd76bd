"""The receiver of Alertmanager's webhook."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from monitoring.alerts.api.alerts import TAGS
from monitoring.alerts.outside import Foreign, alerts_receive

SEND = "alerts.send_alert"
MOST = 1000  # alerts in one delivery
_LABEL = 2000  # characters of a value

_EXAMPLE = {
    "version": "4",
    "status": "firing",
    "receiver": "switchboard",
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "QueueOld",
                "severity": "critical",
                "rule": "queue_old",
                "queue": "default",
            },
            "annotations": {
                "summary": "The oldest job of default waits for 12 minutes",
                "link": "https://switchboard.example/admin/jobs/queue/",
            },
            "startsAt": "2026-11-22T10:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "5b2a1f0c9d8e7f66",
        }
    ],
}


class ForeignAlertInput(serializers.Serializer[Any]):
    """One alert, as Alertmanager sends it."""

    status = serializers.ChoiceField(choices=["firing", "resolved"])
    labels = serializers.DictField(child=serializers.CharField(allow_blank=True), default=dict)
    annotations = serializers.DictField(child=serializers.CharField(allow_blank=True), default=dict)
    startsAt = serializers.DateTimeField(  # noqa: N815 - their name
        required=False, allow_null=True, default=None
    )
    endsAt = serializers.DateTimeField(  # noqa: N815 - their name
        required=False, allow_null=True, default=None, help_text="Year 1 while it fires."
    )
    fingerprint = serializers.CharField(max_length=100)


class AlertmanagerInput(serializers.Serializer[Any]):
    """A delivery, payload version 4. What else it holds is not read."""

    version = serializers.CharField(default="4")
    alerts = ForeignAlertInput(many=True)

    def validate_alerts(self, alerts: list[Any]) -> list[Any]:
        if len(alerts) > MOST:
            raise serializers.ValidationError(f"At most {MOST} alerts in one delivery.")
        return alerts


class AlertmanagerOutput(serializers.Serializer[Any]):
    """What came of a delivery."""

    raised = serializers.IntegerField(help_text="Opened, or noticed again.")
    cleared = serializers.IntegerField()


class AlertmanagerApi(APIView):
    """Alerts of Prometheus."""

    required_permission = SEND

    @extend_schema(
        operation_id="alerts_alertmanager",
        summary="Take in a delivery of Alertmanager",
        description="Alerts are raised and cleared by their fingerprint. The label `rule` names the rule "
        "and its section of the runbook; without one it is `external`. Repeat: safe.",
        tags=TAGS,
        request=AlertmanagerInput,
        responses={200: AlertmanagerOutput, **refusals(s422="`invalid`: no payload of version 4")},
        examples=[
            OpenApiExample("One fires", _EXAMPLE, request_only=True),
            OpenApiExample("Raised", {"raised": 1, "cleared": 0}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = AlertmanagerInput(data=request.data)
        data.is_valid(raise_exception=True)
        found = [
            Foreign(
                is_firing=each["status"] == "firing",
                fingerprint=each["fingerprint"],
                labels={name: value[:_LABEL] for name, value in each["labels"].items()},
                annotations={name: value[:_LABEL] for name, value in each["annotations"].items()},
                starts_at=each["startsAt"],
                ends_at=each["endsAt"],
            )
            for each in data.validated_data["alerts"]
        ]
        return Response(alerts_receive(found, by=request.user))
