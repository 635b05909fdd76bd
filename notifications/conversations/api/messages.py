"""Messages over REST: send one, list those of a dialog, say how far somebody has read."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import StrictSerializer
from notifications.conversations.api import cursors, shapes
from notifications.conversations.api.answers import answered
from notifications.conversations.messages import message_send, messages_read
from notifications.conversations.models.dialog import TEXT_LIMIT
from notifications.conversations.people import dialog_get
from notifications.conversations.selectors.listing import messages_page


class SayInput(StrictSerializer):
    """A message in the name of a participant."""

    sender_id = shapes.UserField(help_text="Who says it; must take part in the dialog.")
    text = serializers.CharField(max_length=TEXT_LIMIT, trim_whitespace=False)


class ReadInput(StrictSerializer):
    """How far somebody has read."""

    user_id = shapes.UserField()
    message_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="Up to this one. Left out: all there is."
    )


class ReadOutput(serializers.Serializer[Any]):
    dialog_id = serializers.UUIDField()
    user_id = serializers.CharField()
    last_read_position = serializers.IntegerField()
    unread_count = serializers.IntegerField()


class MessageList(serializers.Serializer[Any]):
    items = shapes.MessageShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class MessagesApi(APIView):
    """The messages of a dialog."""

    required_permission: ClassVar = {"GET": shapes.VIEW, "POST": shapes.SEND}

    @extend_schema(
        operation_id="dialogs_messages",
        summary="List the messages of a dialog, the latest first",
        tags=["conversations"],
        parameters=[cursors.LIMIT, cursors.CURSOR],
        responses={
            200: MessageList,
            **refusals(s404=shapes.DIALOG_UNKNOWN, s422=shapes.INVALID),
        },
    )
    def get(self, request: Request, dialog_id: UUID) -> Response:
        dialog, given = dialog_get(dialog_id), request.query_params
        rows, before = messages_page(
            dialog.pk,
            before=cursors.number_read(given.get("cursor")),
            size=cursors.limit_read(given),
        )
        items = [shapes.message_of(row) for row in rows]
        return Response({"items": items, "next_cursor": cursors.number_write(before)})

    @extend_schema(
        operation_id="dialogs_send",
        summary="Send a message",
        description="Everybody else has one more unread. Who has not read it after the delay "
        "(`NOTIFICATION_DELAY_SECS`, begun anew by each message) is told by the webhook event "
        "`notification.pending`. The dialog is back on the lists of those who had put it away.",
        tags=["conversations"],
        parameters=[shapes.KEY],
        request=SayInput,
        responses={
            201: shapes.MessageShape,
            **refusals(
                s404=shapes.DIALOG_UNKNOWN,
                s409=f"{shapes.NOT_THERE}; `idempotency_in_flight`",
                s422=f"{shapes.INVALID}, {shapes.KEY_REFUSED}",
            ),
        },
        examples=[
            OpenApiExample(
                "A message",
                {"sender_id": "support-7", "text": "Your parcel is waiting at the door."},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, dialog_id: UUID) -> Response:
        data = SayInput(data=request.data)
        data.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            row = message_send(dialog_id=dialog_id, **data.validated_data)
            return 201, shapes.message_of(row)

        return answered(request, f"POST /api/v1/dialogs/{dialog_id}/messages", act)


class ReadApi(APIView):
    """How far somebody has read."""

    required_permission = shapes.SEND

    @extend_schema(
        operation_id="dialogs_read",
        summary="Say that somebody has read",
        description="Once this is answered, nobody is told of those messages any more. Safe to "
        "repeat; an older message than the last one that was read changes nothing.",
        tags=["conversations"],
        request=ReadInput,
        responses={
            200: ReadOutput,
            **refusals(
                s404=f"{shapes.DIALOG_UNKNOWN}, `message_unknown`",
                s409=shapes.NOT_THERE,
                s422=shapes.INVALID,
            ),
        },
        examples=[OpenApiExample("All there is", {"user_id": "42"}, request_only=True)],
    )
    def post(self, request: Request, dialog_id: UUID) -> Response:
        data = ReadInput(data=request.data)
        data.is_valid(raise_exception=True)
        done = messages_read(dialog_id=dialog_id, **data.validated_data)
        return Response(
            {
                "dialog_id": dialog_id,
                "user_id": data.validated_data["user_id"],
                "last_read_position": done.last_read_position,
                "unread_count": done.unread,
            }
        )
