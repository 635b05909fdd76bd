"""Dialogs over REST: make one, list those of a person, look at one."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import StrictSerializer
from notifications.conversations.api import cursors, shapes
from notifications.conversations.api.answers import answered
from notifications.conversations.dialogs import MOST_PARTICIPANTS, dialog_create
from notifications.conversations.models import Dialog, Participant
from notifications.conversations.models.dialog import TITLE_LIMIT
from notifications.conversations.people import dialog_get, refused, user_check
from notifications.conversations.places import place_read, place_write
from notifications.conversations.selectors.listing import (
    DialogFilter,
    dialogs_page,
    latest_of,
    participants_of,
)

PATH = "api/v1/dialogs"
_WORDS = {"true": True, "1": True, "false": False, "0": False}


class DialogInput(StrictSerializer):
    """A new dialog."""

    participants = serializers.ListField(
        child=shapes.UserField(), help_text=f"1 to {MOST_PARTICIPANTS} people."
    )
    title = serializers.CharField(
        max_length=TITLE_LIMIT, required=False, allow_blank=True, default=""
    )


class DialogList(serializers.Serializer[Any]):
    items = shapes.DialogShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class DialogsApi(APIView):
    """All dialogs."""

    required_permission: ClassVar = {"GET": shapes.VIEW, "POST": shapes.OPERATE}

    @extend_schema(
        operation_id="dialogs_list",
        summary="List dialogs, the latest activity first",
        description="With user_id: the dialogs of that person, and where the person stands in each.",
        tags=["conversations"],
        parameters=[
            OpenApiParameter("user_id", str, description="Dialogs this person takes part in."),
            OpenApiParameter(
                "archived", bool, description="Put away by that person; without user_id: for all."
            ),
            OpenApiParameter("unread", bool, description="Only those with unread messages."),
            cursors.LIMIT,
            cursors.CURSOR,
        ],
        responses={200: DialogList, **refusals(s422=shapes.INVALID)},
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        user_id = given.get("user_id") or ""
        where = DialogFilter(
            user_id=user_check(user_id) if user_id else "",
            is_archived=_flag(given, "archived"),
            has_unread=bool(_flag(given, "unread")),
        )
        page = dialogs_page(
            where,
            after=place_read(given.get("cursor")),
            size=cursors.limit_read(given),
        )
        last = latest_of(page.dialogs)
        people = participants_of(page.dialogs, where.user_id) if where.user_id else {}
        items = [
            shapes.dialog_of(row, last=last.get(row.pk), person=people.get(row.pk))
            for row in page.dialogs
        ]
        return Response({"items": items, "next_cursor": place_write(page.after)})

    @extend_schema(
        operation_id="dialogs_create",
        summary="Make a dialog",
        tags=["conversations"],
        parameters=[shapes.KEY],
        request=DialogInput,
        responses={
            201: shapes.DialogFullShape,
            **refusals(
                s409="`dialog_full`: more than 500 people; `idempotency_in_flight`",
                s422=f"{shapes.INVALID}, {shapes.KEY_REFUSED}",
            ),
        },
        examples=[
            OpenApiExample(
                "Two people",
                {"participants": ["42", "support-7"], "title": "Order 12345"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        data = DialogInput(data=request.data)
        data.is_valid(raise_exception=True)

        def act() -> tuple[int, Any]:
            dialog = dialog_create(**data.validated_data)
            return 201, _full(dialog)

        return answered(request, f"POST /{PATH}", act)


class DialogApi(APIView):
    """One dialog."""

    required_permission = shapes.VIEW

    @extend_schema(
        operation_id="dialogs_show",
        summary="Look at a dialog and its participants",
        tags=["conversations"],
        parameters=[OpenApiParameter("user_id", str, description="Where this person stands.")],
        responses={
            200: shapes.DialogFullShape,
            **refusals(s404=shapes.DIALOG_UNKNOWN, s422=shapes.INVALID),
        },
    )
    def get(self, request: Request, dialog_id: UUID) -> Response:
        user_id = request.query_params.get("user_id") or ""
        return Response(_full(dialog_get(dialog_id), user_check(user_id) if user_id else ""))


def _full(dialog: Dialog, user_id: str = "") -> dict[str, Any]:
    people = list(
        Participant.objects.filter(dialog=dialog, left_at=None).order_by("pk")[:MOST_PARTICIPANTS]
    )
    person = next((each for each in people if each.user_id == user_id), None)
    return {
        **shapes.dialog_of(dialog, last=latest_of([dialog]).get(dialog.pk), person=person),
        "participants": [shapes.participant_of(each) for each in people],
    }


def _flag(given: Any, name: str) -> bool | None:
    """A yes or no of a query; None: not asked. Raises ConversationInvalid."""
    raw = (given.get(name) or "").lower()
    if not raw:
        return None
    if raw not in _WORDS:
        raise refused(name, "must be true or false")
    return _WORDS[raw]
