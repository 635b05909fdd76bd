"""Participants over REST: who takes part, who leaves, and how each wishes to be told."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import StrictSerializer
from notifications.conversations import dialogs
from notifications.conversations.api import cursors, shapes
from notifications.conversations.people import dialog_get
from notifications.conversations.selectors.listing import participants_page

_REFUSED = refusals(s404=shapes.DIALOG_UNKNOWN, s409=shapes.NOT_THERE, s422=shapes.INVALID)


class PersonInput(StrictSerializer):
    """One participant."""

    user_id = shapes.UserField()


class PeopleInput(StrictSerializer):
    """Who takes part from now on."""

    participants = serializers.ListField(child=shapes.UserField())


class SwitchInput(StrictSerializer):
    """Whether somebody wants to be told of unread messages in this dialog."""

    notifications_enabled = serializers.BooleanField()


class ParticipantList(serializers.Serializer[Any]):
    items = shapes.ParticipantShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class ParticipantsApi(APIView):
    """All who take part, or did."""

    required_permission: ClassVar = {"GET": shapes.VIEW, "POST": shapes.OPERATE}

    @extend_schema(
        operation_id="dialogs_participants",
        summary="List the participants of a dialog, the latest first",
        description="Those who have left as well: left_at says when.",
        tags=["conversations"],
        parameters=[cursors.LIMIT, cursors.CURSOR],
        responses={
            200: ParticipantList,
            **refusals(s404=shapes.DIALOG_UNKNOWN, s422=shapes.INVALID),
        },
    )
    def get(self, request: Request, dialog_id: UUID) -> Response:
        dialog, given = dialog_get(dialog_id), request.query_params
        rows, before = participants_page(
            dialog.pk,
            before=cursors.number_read(given.get("cursor")),
            size=cursors.limit_read(given),
        )
        items = [shapes.participant_of(row) for row in rows]
        return Response({"items": items, "next_cursor": cursors.number_write(before)})

    @extend_schema(
        operation_id="dialogs_add",
        summary="Let people take part",
        description="Who is there stays as they are; who has left comes back, with nothing unread.",
        tags=["conversations"],
        request=PeopleInput,
        responses={
            200: ParticipantList,
            **refusals(s404=shapes.DIALOG_UNKNOWN, s409="`dialog_full`", s422=shapes.INVALID),
        },
        examples=[OpenApiExample("One more", {"participants": ["support-8"]}, request_only=True)],
    )
    def post(self, request: Request, dialog_id: UUID) -> Response:
        data = PeopleInput(data=request.data)
        data.is_valid(raise_exception=True)
        rows = dialogs.participants_add(
            dialog_id=dialog_id, user_ids=data.validated_data["participants"]
        )
        return Response(
            {"items": [shapes.participant_of(row) for row in rows], "next_cursor": None}
        )


class ParticipantApi(APIView):
    """One participant."""

    required_permission = shapes.SEND

    @extend_schema(
        operation_id="dialogs_notifications",
        summary="Switch notifications of a dialog on or off for somebody",
        description="Holds at once: also for messages whose delay is not over yet.",
        tags=["conversations"],
        request=SwitchInput,
        responses={200: shapes.ParticipantShape, **_REFUSED},
        examples=[OpenApiExample("Off", {"notifications_enabled": False}, request_only=True)],
    )
    def patch(self, request: Request, dialog_id: UUID, user_id: str) -> Response:
        data = SwitchInput(data=request.data)
        data.is_valid(raise_exception=True)
        row = dialogs.participant_notify(
            dialog_id=dialog_id,
            user_id=user_id,
            is_enabled=data.validated_data["notifications_enabled"],
        )
        return Response(shapes.participant_of(row))


class LeaveApi(APIView):
    """Leaving a dialog."""

    required_permission = shapes.SEND

    @extend_schema(
        operation_id="dialogs_leave",
        summary="Leave a dialog",
        description="Nothing is counted or told from now on. Safe to repeat.",
        tags=["conversations"],
        request=PersonInput,
        responses={204: None, **_REFUSED},
        examples=[OpenApiExample("Leave", {"user_id": "42"}, request_only=True)],
    )
    def post(self, request: Request, dialog_id: UUID) -> Response:
        dialogs.participant_leave(dialog_id=dialog_id, user_id=_person(request))
        return Response(status=204)


class ArchiveApi(APIView):
    """Putting a dialog away, for one person."""

    required_permission = shapes.SEND

    @extend_schema(
        operation_id="dialogs_archive",
        summary="Put a dialog away for somebody",
        description="A new message takes it out again. Safe to repeat.",
        tags=["conversations"],
        request=PersonInput,
        responses={200: shapes.ParticipantShape, **_REFUSED},
        examples=[OpenApiExample("Put away", {"user_id": "42"}, request_only=True)],
    )
    def post(self, request: Request, dialog_id: UUID) -> Response:
        return _archived(request, dialog_id, is_archived=True)


class UnarchiveApi(APIView):
    """Taking a dialog out again, for one person."""

    required_permission = shapes.SEND

    @extend_schema(
        operation_id="dialogs_unarchive",
        summary="Take a dialog out again for somebody",
        tags=["conversations"],
        request=PersonInput,
        responses={200: shapes.ParticipantShape, **_REFUSED},
        examples=[OpenApiExample("Take out", {"user_id": "42"}, request_only=True)],
    )
    def post(self, request: Request, dialog_id: UUID) -> Response:
        return _archived(request, dialog_id, is_archived=False)


def _archived(request: Request, dialog_id: UUID, *, is_archived: bool) -> Response:
    row = dialogs.participant_archive(
        dialog_id=dialog_id, user_id=_person(request), is_archived=is_archived
    )
    return Response(shapes.participant_of(row))


def _person(request: Request) -> str:
    data = PersonInput(data=request.data)
    data.is_valid(raise_exception=True)
    return str(data.validated_data["user_id"])
