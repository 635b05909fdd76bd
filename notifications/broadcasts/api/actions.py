"""What can be done with a broadcast over REST: one address per act."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import StrictSerializer
from notifications.broadcasts.api.broadcasts import SEND, UNKNOWN, shown
from notifications.broadcasts.api.shapes import EXAMPLE, BroadcastOutput
from notifications.broadcasts.selectors import broadcast_get
from notifications.broadcasts.services import (
    broadcast_cancel,
    broadcast_clone,
    broadcast_pause,
    broadcast_recall,
    broadcast_resend_missing,
    broadcast_resume,
    broadcast_schedule,
    broadcast_send_now,
    broadcast_test_send,
)

OPERATE, ADD = "broadcasts.operate_broadcast", "broadcasts.add_broadcast"
STATE = "`broadcast_state`: not in a state in which this can be done"
_SENDING = {**EXAMPLE, "status": "sending", "phase": "expanding"}


class Nothing(StrictSerializer):
    """No body."""


class PauseInput(StrictSerializer):
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True)


class ScheduleInput(StrictSerializer):
    scheduled_at = serializers.DateTimeField(allow_null=True, help_text="Null: a draft again.")
    time_zone = serializers.CharField(max_length=64, required=False, allow_null=True)


class ResendInput(StrictSerializer):
    include_unknown = serializers.BooleanField(
        required=False, help_text="Also to those who may have got it; they may get it twice."
    )
    reasons = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, allow_null=True, max_length=50,
        help_text="Only to those with one of these reasons.",
    )  # fmt: skip
    rows = serializers.ListField(
        child=serializers.IntegerField(), required=False, allow_null=True, max_length=10_000,
        help_text="Only to these, by their id in the ledger.",
    )  # fmt: skip


class RecallInput(StrictSerializer):
    mode = serializers.ChoiceField(choices=["delete", "edit"], required=False)
    title = serializers.CharField(max_length=200, required=False, allow_null=True)
    title_ru = serializers.CharField(
        max_length=200, required=False, allow_null=True, allow_blank=True
    )
    body = serializers.CharField(
        max_length=20_000, required=False, allow_null=True, trim_whitespace=False
    )
    body_ru = serializers.CharField(
        max_length=20_000, required=False, allow_null=True, allow_blank=True, trim_whitespace=False
    )


class TestInput(StrictSerializer):
    __test__ = False  # its name is no test

    user_id = serializers.IntegerField(required=False, allow_null=True)
    login = serializers.CharField(max_length=150, required=False)
    telegram_id = serializers.IntegerField(required=False, allow_null=True)
    language = serializers.CharField(max_length=8, required=False)


class TestOutput(serializers.Serializer[Any]):
    __test__ = False

    channels = serializers.DictField(
        child=serializers.CharField(), help_text='`{"inbox": "unread", "telegram": "queued"}`'
    )


class ResendOutput(BroadcastOutput):
    class Meta(BroadcastOutput.Meta):
        fields = (*BroadcastOutput.Meta.fields, "resent")

    resent = serializers.IntegerField(help_text="To how many it goes again.")


def _given(request: Request, shape: type[StrictSerializer]) -> dict[str, Any]:
    data = shape(data=request.data or {})
    data.is_valid(raise_exception=True)
    return dict(data.validated_data)


class SendNowApi(APIView):
    required_permission = SEND

    @extend_schema(
        operation_id="broadcasts_send_now",
        summary="Send a broadcast now",
        description="From a draft, or ahead of its time. Repeating it changes nothing.",
        tags=["broadcasts"],
        request=None,
        responses={200: BroadcastOutput, **refusals(s404=UNKNOWN, s409=STATE)},
        examples=[OpenApiExample("It begins", _SENDING, response_only=True)],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        _given(request, Nothing)
        return Response(shown(broadcast_send_now(broadcast_id=broadcast_id, by=request.user)))


class PauseApi(APIView):
    required_permission = OPERATE

    @extend_schema(
        operation_id="broadcasts_pause",
        summary="Pause a broadcast",
        description="Nothing is sent after the answer. Repeating it changes nothing.",
        tags=["broadcasts"],
        request=PauseInput,
        responses={200: BroadcastOutput, **refusals(s404=UNKNOWN, s409=STATE)},
        examples=[OpenApiExample("Why", {"reason": "wrong price in the text"}, request_only=True)],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        given = _given(request, PauseInput)
        return Response(shown(broadcast_pause(broadcast_id=broadcast_id, by=request.user, **given)))


class ResumeApi(APIView):
    required_permission = SEND

    @extend_schema(
        operation_id="broadcasts_resume",
        summary="Go on with a paused broadcast",
        description="After a canary that failed: to everybody, all the same.",
        tags=["broadcasts"],
        request=None,
        responses={200: BroadcastOutput, **refusals(s404=UNKNOWN, s409=STATE)},
        examples=[OpenApiExample("It goes on", _SENDING, response_only=True)],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        _given(request, Nothing)
        return Response(shown(broadcast_resume(broadcast_id=broadcast_id, by=request.user)))


class CancelApi(APIView):
    required_permission = OPERATE

    @extend_schema(
        operation_id="broadcasts_cancel",
        summary="Cancel a broadcast for good",
        description="Nothing is sent after the answer. Whoever has not got it is skipped in the ledger.",
        tags=["broadcasts"],
        request=None,
        responses={200: BroadcastOutput, **refusals(s404=UNKNOWN, s409=STATE)},
        examples=[OpenApiExample("Over", {**EXAMPLE, "status": "cancelled"}, response_only=True)],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        _given(request, Nothing)
        return Response(shown(broadcast_cancel(broadcast_id=broadcast_id, by=request.user)))


class ResendMissingApi(APIView):
    required_permission = SEND

    @extend_schema(
        operation_id="broadcasts_resend_missing",
        summary="Send a broadcast again to those who did not get it",
        description="Nobody who has it gets it twice.",
        tags=["broadcasts"],
        request=ResendInput,
        responses={200: ResendOutput, **refusals(s404=UNKNOWN, s409=f"{STATE}; `nothing_missing`")},
        examples=[
            OpenApiExample("Those who came back", {"reasons": ["blocked"]}, request_only=True)
        ],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        given = _given(request, ResendInput)
        count = broadcast_resend_missing(broadcast_id=broadcast_id, by=request.user, **given)
        return Response({**shown(broadcast_get(broadcast_id)), "resent": count})


class ScheduleApi(APIView):
    required_permission = SEND

    @extend_schema(
        operation_id="broadcasts_schedule",
        summary="Say when a broadcast is to be sent",
        tags=["broadcasts"],
        request=ScheduleInput,
        responses={200: BroadcastOutput, **refusals(s404=UNKNOWN, s409=STATE)},
        examples=[
            OpenApiExample("At noon", {"scheduled_at": "2026-12-01T12:00:00Z"}, request_only=True)
        ],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        given = _given(request, ScheduleInput)
        return Response(
            shown(broadcast_schedule(broadcast_id=broadcast_id, by=request.user, **given))
        )


class CloneApi(APIView):
    required_permission = ADD

    @extend_schema(
        operation_id="broadcasts_clone",
        summary="Make a new draft of a broadcast",
        tags=["broadcasts"],
        request=None,
        responses={201: BroadcastOutput, **refusals(s404=UNKNOWN)},
        examples=[OpenApiExample("A draft", {**EXAMPLE, "status": "draft"}, response_only=True)],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        _given(request, Nothing)
        row = broadcast_clone(broadcast_id=broadcast_id, by=request.user)
        return Response(shown(row), status=201)


class RecallApi(APIView):
    required_permission = OPERATE

    @extend_schema(
        operation_id="broadcasts_recall",
        summary="Take a broadcast back, or give another text to those who have it",
        description="Inboxes: what is unread. Telegram: what is younger than 48 hours. `recall` of the "
        "broadcast tells how far it is. Another text takes the permission to send as well.",
        tags=["broadcasts"],
        request=RecallInput,
        responses={200: BroadcastOutput, **refusals(s404=UNKNOWN, s409=STATE, s422="`invalid`")},
        examples=[
            OpenApiExample("Put right", {"mode": "edit", "body": "At 12:00"}, request_only=True)
        ],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        given = _given(request, RecallInput)
        if given.get("mode") == "edit" and not request.user.has_perm(SEND):
            self.permission_denied(request, f"To write to people it needs the permission {SEND}.")
        return Response(
            shown(broadcast_recall(broadcast_id=broadcast_id, by=request.user, **given))
        )


class TestSendApi(APIView):
    __test__ = False
    required_permission = SEND

    @extend_schema(
        operation_id="broadcasts_test_send",
        summary="Send a broadcast to one person, marked as a test",
        tags=["broadcasts"],
        request=TestInput,
        responses={200: TestOutput, **refusals(s404=UNKNOWN, s422="`invalid`: nobody is named")},
        examples=[OpenApiExample("To myself", {"user_id": 1, "login": "alice"}, request_only=True)],
    )
    def post(self, request: Request, broadcast_id: UUID) -> Response:
        given = _given(request, TestInput)
        done = broadcast_test_send(broadcast_id=broadcast_id, by=request.user, **given)
        return Response({"channels": done.channels})
