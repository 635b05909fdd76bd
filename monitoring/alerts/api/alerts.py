"""Alerts over REST: lists by filter, one with its story, and what people do with it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from lib.errors import InputInvalid
from monitoring.alerts.acting import alert_acknowledge, alert_assign, alert_resolve
from monitoring.alerts.api.shapes import (
    EXAMPLE,
    STORY_EXAMPLE,
    AlertDetailOutput,
    AlertEventOutput,
    AlertOutput,
)
from monitoring.alerts.models import Severity
from monitoring.alerts.selectors import (
    FILTERS,
    PAGE,
    AlertFilter,
    alert_get,
    alerts_page,
    story_of,
)
from monitoring.alerts.silences import alert_silence
from notifications.webhooks.api.parameters import (
    MOST,
    moment_read,
    number_read,
    refused,
    uuid_read,
)

TAGS = ["alerts"]
VIEW = "alerts.view_alert"
OPERATE = "alerts.operate_alert"
_GONE = "`not_found`"
_OVER = "`alert_resolved`: it is over already"


class AlertsFound(serializers.Serializer[Any]):
    items = AlertOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class AlertsApi(APIView):
    """Alerts by filter."""

    required_permission = VIEW

    @extend_schema(
        operation_id="alerts_list",
        summary="List alerts",
        description="Newest first; open ones unless a state is given.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("state", str, enum=FILTERS, description="Default: open."),
            OpenApiParameter("severity", str, enum=Severity.values),
            OpenApiParameter("rule", str),
            OpenApiParameter("key", str),
            OpenApiParameter("words", str, description="In title, rule or key."),
            OpenApiParameter("assigned_to", str, description="A username."),
            OpenApiParameter("opened_from", datetime),
            OpenApiParameter("opened_to", datetime),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: AlertsFound, **refusals(s422="`invalid`: a filter, limit or cursor")},
        examples=[
            OpenApiExample(
                "One is acknowledged",
                {"items": [EXAMPLE], "next_cursor": None},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        page = alerts_page(
            _where(given),
            after=uuid_read(given, "cursor"),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        return Response(
            {
                "items": AlertOutput(page.alerts, many=True).data,
                "next_cursor": None if page.after is None else str(page.after),
            }
        )


def _where(given: Mapping[str, str]) -> AlertFilter:
    return AlertFilter(
        state=given.get("state", ""),
        severity=given.get("severity", ""),
        rule=_word(given, "rule"),
        key=_word(given, "key"),
        words=_word(given, "words"),
        assigned_to=_word(given, "assigned_to"),
        opened_from=moment_read(given, "opened_from"),
        opened_to=moment_read(given, "opened_to"),
    )


def _word(given: Mapping[str, str], name: str) -> str:
    word = given.get(name, "")
    if not word.isprintable() or len(word) > 200:
        raise refused(name, "must be a word")
    return word


class AlertApi(APIView):
    """One alert."""

    required_permission = VIEW

    @extend_schema(
        operation_id="alert_get",
        summary="Look at an alert and its story",
        tags=TAGS,
        responses={200: AlertDetailOutput, **refusals(s404=_GONE)},
        examples=[
            OpenApiExample(
                "It is acknowledged", {**EXAMPLE, "story": STORY_EXAMPLE}, response_only=True
            )
        ],
    )
    def get(self, request: Request, alert_id: UUID) -> Response:
        return Response(_detail(alert_id))


def _detail(alert_id: UUID) -> dict[str, Any]:
    alert = alert_get(alert_id)
    return {
        **AlertOutput(alert).data,
        "story": AlertEventOutput(story_of(alert), many=True).data,
    }


class AlertSilenceInput(serializers.Serializer[Any]):
    until = serializers.DateTimeField(help_text="With a time zone.")
    reason = serializers.CharField(max_length=300, default="", allow_blank=True)


class AlertResolveInput(serializers.Serializer[Any]):
    note = serializers.CharField(
        max_length=4000, default="", allow_blank=True, help_text="What it was."
    )


class AlertAssignInput(serializers.Serializer[Any]):
    to = serializers.CharField(
        max_length=150, allow_null=True, help_text="A username; null: nobody."
    )


class _ActApi(APIView):
    required_permission = OPERATE

    def _done(self, alert_id: UUID, act: Callable[[], object]) -> Response:
        act()
        return Response(_detail(alert_id))


class AlertAcknowledgeApi(_ActApi):
    """Take an alert."""

    @extend_schema(
        operation_id="alert_acknowledge",
        summary="Acknowledge an alert",
        description="It is neither told, reminded of nor escalated any more. Repeat: who came first has "
        "it.",
        tags=TAGS,
        request=None,
        responses={200: AlertDetailOutput, **refusals(s404=_GONE, s409=_OVER)},
        examples=[OpenApiExample("Taken", {**EXAMPLE, "story": STORY_EXAMPLE}, response_only=True)],
    )
    def post(self, request: Request, alert_id: UUID) -> Response:
        return self._done(alert_id, lambda: alert_acknowledge(alert_id=alert_id, by=request.user))


class AlertSilenceApi(_ActApi):
    """Keep an alert quiet."""

    @extend_schema(
        operation_id="alert_silence",
        summary="Silence an alert until a time",
        description="Nobody is told of its rule and key meanwhile. If it is open then, it is told.",
        tags=TAGS,
        request=AlertSilenceInput,
        responses={
            200: AlertDetailOutput,
            **refusals(s404=_GONE, s409=_OVER, s422="`invalid`: the time"),
        },
        examples=[
            OpenApiExample(
                "Until the move is done",
                {"until": "2026-11-22T18:00:00Z", "reason": "move of fra-1"},
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request, alert_id: UUID) -> Response:
        given = _valid(AlertSilenceInput(data=request.data))
        return self._done(
            alert_id,
            lambda: alert_silence(
                alert_id=alert_id, until=given["until"], reason=given["reason"], by=request.user
            ),
        )


class AlertResolveApi(_ActApi):
    """Say that it is over."""

    @extend_schema(
        operation_id="alert_resolve",
        summary="Resolve an alert",
        description="If it is not over, the next look raises another.",
        tags=TAGS,
        request=AlertResolveInput,
        responses={200: AlertDetailOutput, **refusals(s404=_GONE, s409=_OVER)},
        examples=[OpenApiExample("With what it was", {"note": "disk was full"}, request_only=True)],
    )
    def post(self, request: Request, alert_id: UUID) -> Response:
        given = _valid(AlertResolveInput(data=request.data))
        return self._done(
            alert_id,
            lambda: alert_resolve(alert_id=alert_id, note=given["note"], by=request.user),
        )


class AlertAssignApi(_ActApi):
    """Give an alert to somebody."""

    @extend_schema(
        operation_id="alert_assign",
        summary="Assign an alert",
        tags=TAGS,
        request=AlertAssignInput,
        responses={
            200: AlertDetailOutput,
            **refusals(
                s404=_GONE,
                s409=f"{_OVER}; `assignee_unsuitable`: no active staff who may see alerts",
                s422="`invalid`: nobody of that name",
            ),
        },
        examples=[OpenApiExample("To Olga", {"to": "olga"}, request_only=True)],
    )
    def post(self, request: Request, alert_id: UUID) -> Response:
        name = _valid(AlertAssignInput(data=request.data))["to"]
        to = User.objects.filter(username=name).first() if name else None
        if name and to is None:
            raise InputInvalid(
                "to names nobody.", errors=[{"field": "to", "message": "names nobody"}]
            )
        return self._done(alert_id, lambda: alert_assign(alert_id=alert_id, to=to, by=request.user))


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found
