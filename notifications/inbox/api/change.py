"""One notification: what became of it, another text for it, taking it back."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import ObjectField, StrictSerializer
from lib.errors import InputInvalid
from notifications.inbox import recall
from notifications.inbox.api.shapes import STATES, Target
from notifications.inbox.positions import stream_id
from notifications.inbox.requests import data_check, message_check
from notifications.inbox.selectors.story import Moment, Story, story

VIEW, CHANGE = "inbox.view_notification", "inbox.change_notification"
_UNKNOWN = "`notification_unknown`"
_SETTLED = "`notification_settled`: it was read, has expired, or was taken back already"


class ScreenShape(serializers.Serializer[Any]):
    client_id = serializers.CharField()
    pod_id = serializers.CharField()
    device = serializers.CharField(help_text="As the client calls itself; may be empty.")


class MomentShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    what = serializers.CharField(
        help_text="accepted, muted, deferred, placed, pushed, updated, acked, expired, recalled, "
        "replaced, fallback."
    )
    text = serializers.CharField()
    devices = ScreenShape(many=True, help_text="Of a push: the screens that it reached.")


class NotificationShape(serializers.Serializer[Any]):
    notification_id = serializers.UUIDField()
    stream_id = serializers.CharField(allow_null=True, help_text="Null: no screen may show it.")
    target = Target()
    state = serializers.CharField(help_text=STATES)
    message = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    data = ObjectField(allow_null=True)  # type: ignore[assignment]
    priority = serializers.IntegerField()
    collapse_key = serializers.CharField(allow_null=True)
    edition = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField()
    deliver_at = serializers.DateTimeField(allow_null=True, help_text="Held back until then.")
    expires_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    correlation_id = serializers.CharField()
    screens = serializers.IntegerField(help_text="Screens that it reached.")
    why_not = serializers.CharField(
        allow_null=True, help_text="Why no screen has shown it yet; null if one has."
    )
    timeline = MomentShape(many=True)


class NotificationChange(StrictSerializer):
    message = serializers.CharField(required=False, help_text="1 to 4,000 characters.")
    data = ObjectField(  # type: ignore[assignment]
        required=False, allow_null=True, help_text="Instead of all that was there."
    )


class NotificationChanged(serializers.Serializer[Any]):
    notification_id = serializers.UUIDField()
    edition = serializers.IntegerField()
    screens = serializers.IntegerField(help_text="Screens that had the older text.")


class NotificationRecalled(serializers.Serializer[Any]):
    notification_id = serializers.UUIDField()
    state = serializers.CharField()
    screens = serializers.IntegerField(help_text="Screens that had it.")


class NotificationApi(APIView):
    """One notification."""

    required_permission = {"GET": VIEW, "PATCH": CHANGE, "DELETE": CHANGE}  # noqa: RUF012 - read only

    @extend_schema(
        operation_id="inbox_notification",
        summary="Look at a notification",
        description="How it stands, what happened to it, which screens it reached, and if none: why.",
        tags=["inbox"],
        responses={200: NotificationShape, **refusals(s404=_UNKNOWN)},
    )
    def get(self, request: Request, notification_id: UUID) -> Response:
        return Response(_shown(story(notification_id)))

    @extend_schema(
        operation_id="inbox_notification_update",
        summary="Change the text of a notification",
        description="Open screens show the new text at once. What is left out stays as it is.",
        tags=["inbox"],
        request=NotificationChange,
        responses={
            200: NotificationChanged,
            **refusals(s404=_UNKNOWN, s409=_SETTLED, s422="`invalid`"),
        },
        examples=[
            OpenApiExample(
                "Another text",
                {"message": "Your order arrives on Friday"},
                request_only=True,
            )
        ],
    )
    def patch(self, request: Request, notification_id: UUID) -> Response:
        told = recall.notification_update(
            notification_id=notification_id, by=request.user, **_changes(request.data)
        )
        return Response(
            {
                "notification_id": told.notification_id,
                "edition": told.edition,
                "screens": told.screens,
            }
        )

    @extend_schema(
        operation_id="inbox_notification_recall",
        summary="Take a notification back",
        description="It vanishes from open screens at once. Safe to repeat.",
        tags=["inbox"],
        responses={200: NotificationRecalled, **refusals(s404=_UNKNOWN, s409=_SETTLED)},
    )
    def delete(self, request: Request, notification_id: UUID) -> Response:
        told = recall.notification_recall(notification_id=notification_id, by=request.user)
        return Response(
            {
                "notification_id": told.notification_id,
                "state": told.state,
                "screens": told.screens,
            }
        )


def _changes(body: Any) -> dict[str, Any]:
    """What of message and data is to change. Raises InputInvalid."""
    if not isinstance(body, dict):
        raise _invalid({"": "The body must be a JSON object with message or data."})
    wrong = dict.fromkeys(sorted(set(body) - {"message", "data"}), "There is no such field.")
    if not body:
        wrong[""] = "Say what is to change: message or data."
    changes: dict[str, Any] = {}
    try:
        if "message" in body:
            changes["message"] = message_check(body["message"])
    except ValueError as exc:
        wrong["message"] = str(exc)
    try:
        if "data" in body:
            changes["data"] = None if body["data"] is None else data_check(body["data"])
    except ValueError as exc:
        wrong["data"] = str(exc)
    if wrong:
        raise _invalid(wrong)
    return changes


def _invalid(wrong: dict[str, str]) -> InputInvalid:
    return InputInvalid(
        "Some fields do not have the form that is asked for.",
        errors=[{"field": field, "message": message} for field, message in wrong.items()],
    )


def _shown(told: Story) -> dict[str, Any]:
    row = told.row
    return {
        "notification_id": row.pk,
        "stream_id": None if row.position is None else stream_id(row.position),
        "target": {"id": row.recipient.user_id, "login": row.recipient.login},
        "state": row.state,
        "message": row.message,
        "source": row.source,
        "data": row.data,
        "priority": row.priority,
        "collapse_key": row.collapse_key,
        "edition": row.edition,
        "created_at": row.created_at,
        "accepted_at": row.accepted_at,
        "deliver_at": row.deliver_at,
        "expires_at": row.expires_at,
        "read_at": row.read_at,
        "correlation_id": row.correlation_id,
        "screens": told.screens,
        "why_not": told.why_not or None,
        "timeline": [_moment(moment) for moment in told.moments],
    }


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "at": moment.at,
        "what": moment.what,
        "text": moment.text,
        "devices": [
            {"client_id": each.client_id, "pod_id": each.pod_id, "device": each.device}
            for each in moment.devices
        ],
    }
