"""Telegram messages over REST: queue one, ask what became of it."""

from datetime import timedelta
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lib.errors import InputInvalid, NotFound
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import (
    chat_check,
    message_cancel,
    message_explain,
    message_queue,
    message_retry,
    text_check,
)
from notifications.telegram.tasks import send_now


class MessageOutput(serializers.Serializer[QueuedMessage]):
    """A message of the queue as backends see it."""

    id = serializers.IntegerField()
    telegram_id = serializers.IntegerField()
    notification_type = serializers.CharField()
    status = serializers.ChoiceField(choices=QueuedMessage.Status.choices)
    priority = serializers.IntegerField()
    attempts = serializers.IntegerField()
    scheduled_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    message_id = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    error_message = serializers.CharField(allow_null=True)
    maybe_doubled = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    explanation = serializers.SerializerMethodField()

    def get_explanation(self, row: QueuedMessage) -> str:
        return message_explain(row)


class MessageInput(serializers.Serializer[Any]):
    """What a backend sends."""

    telegram_id = serializers.IntegerField(min_value=-(2**63), max_value=2**63 - 1)
    message = serializers.CharField(trim_whitespace=False)
    notification_type = serializers.CharField(max_length=50, default="message")
    parse_mode = serializers.ChoiceField(
        choices=["HTML", "MarkdownV2", "Markdown"], allow_null=True, default="HTML"
    )
    priority = serializers.IntegerField(min_value=0, max_value=3, default=2)
    scheduled_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    dedup_key = serializers.CharField(max_length=160, required=False, allow_null=True, default=None)
    dedup_ttl_s = serializers.IntegerField(min_value=1, max_value=30 * 86400, default=86400)
    reply_markup = serializers.JSONField(
        required=False,
        allow_null=True,
        default=None,
        help_text="An inline keyboard; each button has a text and a url or callback_data.",
    )
    mode = serializers.ChoiceField(choices=["queue", "now"], default="queue")


class SendNowOutput(serializers.Serializer[Any]):
    """A message on its way past the queue: follow its job."""

    job_id = serializers.UUIDField()
    status = serializers.CharField()


class MessagesApi(APIView):
    """Queue a message."""

    required_permission = "telegram.send_message"

    @extend_schema(
        summary="Queue a Telegram message",
        request=MessageInput,
        responses={202: MessageOutput, 200: MessageOutput},
        examples=[
            OpenApiExample(
                "A reminder",
                value={"telegram_id": 500100201, "message": "<b>Ends tomorrow</b>", "priority": 1},
                request_only=True,
            ),
            OpenApiExample(
                "With a button",
                value={
                    "telegram_id": 500100201,
                    "message": "<b>Ends tomorrow</b>",
                    "reply_markup": {
                        "inline_keyboard": [
                            [{"text": "Renew", "url": "https://shop.example/renew"}]
                        ]
                    },
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        data = MessageInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        if given.pop("mode") == "now":
            if given["scheduled_at"] or given["dedup_key"] or given["reply_markup"] is not None:
                raise InputInvalid("mode now takes no scheduled_at, dedup_key or reply_markup")
            chat_check(given["telegram_id"])
            text_check(given["message"], given["parse_mode"])
            made = send_now.enqueue(
                **{
                    k: given[k]
                    for k in ("telegram_id", "message", "notification_type", "parse_mode")
                }
            )
            return Response({"job_id": str(made.id), "status": "sending"}, status=202)
        ttl = timedelta(seconds=given.pop("dedup_ttl_s"))
        row, was_there = message_queue(**given, dedup_ttl=ttl)
        return Response(MessageOutput(row).data, status=200 if was_there else 202)


class MessageApi(APIView):
    """One message."""

    required_permission = "telegram.view_queuedmessage"

    @extend_schema(summary="Status of a Telegram message", responses=MessageOutput)
    def get(self, request: Request, message_id: int) -> Response:
        row = QueuedMessage.objects.filter(pk=message_id).first()
        if row is None:
            raise NotFound(f"there is no message {message_id}")
        return Response(MessageOutput(row).data)


class MessageActionApi(APIView):
    """Retry or cancel one message."""

    required_permission = "telegram.operate_message"

    @extend_schema(
        summary="Retry or cancel a Telegram message", request=None, responses=MessageOutput
    )
    def post(self, request: Request, message_id: int, action: str) -> Response:
        (message_retry if action == "retry" else message_cancel)(
            message_id=message_id, by=request.user
        )
        return Response(MessageOutput(QueuedMessage.objects.get(pk=message_id)).data)


urlpatterns = [
    path("api/v1/telegram/messages", MessagesApi.as_view()),
    path("api/v1/telegram/messages/<int:message_id>", MessageApi.as_view()),
    path(
        "api/v1/telegram/messages/<int:message_id>/actions/retry",
        MessageActionApi.as_view(),
        {"action": "retry"},
    ),
    path(
        "api/v1/telegram/messages/<int:message_id>/actions/cancel",
        MessageActionApi.as_view(),
        {"action": "cancel"},
    ),
]
