"""Rules over REST: values beside thresholds, and changing them."""

from datetime import timedelta
from typing import ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from lib.errors import InputInvalid
from monitoring.checks.api.shapes import RuleChangeShape, RuleShape, RulesShape, rule_body
from monitoring.checks.models.rule import RuleCondition
from monitoring.checks.selectors.rules import rule_view, rules_view
from monitoring.checks.services import rule_change, rule_get

VIEW = "checks.view_rulestate"
TAGS = ["services and rules"]
_UNKNOWN = "`rule_unknown`"
_RULE = {
    "name": "queue_depth",
    "title": "Queue depth",
    "summary": "Due jobs that wait, of each queue.",
    "severity": "warning",
    "unit": "count",
    "condition": "over",
    "value": 812.0,
    "text": "the fullest is notifications",
    "threshold": 500.0,
    "threshold_default": 500.0,
    "is_low_bad": False,
    "ends_at": 400.0,
    "cooldown_s": 900.0,
    "is_on": True,
    "measured_at": "2026-11-22T12:05:00Z",
    "alerted_at": "2026-11-22T12:03:00Z",
    "open_alerts": 1,
    "held_back": 0,
    "parts": [
        {
            "key": "notifications",
            "title": "812 due jobs wait in the queue notifications",
            "value": 812.0,
            "link": "/admin/jobs/queue/#queue-notifications",
        }
    ],
    "runbook": "/admin/runbook/queue_depth/",
}


class RulesApi(APIView):
    """All rules."""

    required_permission = VIEW

    @extend_schema(
        operation_id="rules",
        summary="List rules with their values and thresholds",
        description="What is beyond its threshold first.",
        tags=TAGS,
        parameters=[OpenApiParameter("condition", str, enum=RuleCondition.values)],
        responses={200: RulesShape, **refusals(s422="`invalid`: a parameter")},
        examples=[OpenApiExample("One is over", {"items": [_RULE]}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        condition = request.query_params.get("condition") or ""
        if condition and condition not in RuleCondition.values:
            why = f"must be one of {', '.join(RuleCondition.values)}"
            raise InputInvalid(f"condition {why}.", errors=[{"field": "condition", "message": why}])
        items = [RuleShape(rule_body(view)).data for view in rules_view(condition=condition)]
        return Response({"items": items})


class RuleApi(APIView):
    """One rule."""

    required_permission: ClassVar = {"GET": VIEW, "PATCH": "checks.operate_rulestate"}

    @extend_schema(
        operation_id="rule",
        summary="Look at a rule",
        tags=TAGS,
        responses={200: RuleShape, **refusals(s404=_UNKNOWN)},
        examples=[OpenApiExample("It is over", _RULE, response_only=True)],
    )
    def get(self, request: Request, name: str) -> Response:
        rule_get(name)
        return Response(RuleShape(rule_body(rule_view(name))).data)

    @extend_schema(
        operation_id="rule_change",
        summary="Switch a rule, or change its threshold or cooldown",
        description="What is left out stays. A rule that is switched off tells nobody, and its open "
        "alerts end; its value is still measured. Audited.",
        tags=TAGS,
        request=RuleChangeShape,
        responses={200: RuleShape, **refusals(s404=_UNKNOWN, s422="`invalid`: a field")},
        examples=[
            OpenApiExample("Another threshold", {"threshold": 2000}, request_only=True),
            OpenApiExample("Off", {"is_on": False}, request_only=True),
            OpenApiExample("It is over", _RULE, response_only=True),
        ],
    )
    def patch(self, request: Request, name: str) -> Response:
        rule_get(name)
        data = RuleChangeShape(data=request.data)
        data.is_valid(raise_exception=True)
        changes = dict(data.validated_data)
        if "cooldown_s" in changes:
            seconds = changes.pop("cooldown_s")
            changes["cooldown"] = None if seconds is None else timedelta(seconds=seconds)
        rule_change(name=name, by=request.user, **changes)
        return Response(RuleShape(rule_body(rule_view(name))).data)
