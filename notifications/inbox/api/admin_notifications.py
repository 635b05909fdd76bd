"""What operators and the console read: what waits, and what a person was told."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from notifications.inbox.api.paging import (
    CURSOR,
    after_pair,
    after_position,
    limit,
    limit_read,
    refused,
)
from notifications.inbox.api.shapes import Entry, entry_of
from notifications.inbox.positions import stream_id
from notifications.inbox.requests import MOST_ID, target_check
from notifications.inbox.selectors.listing import history_page, pending_page, unread_total

VIEW = "inbox.view_notification"
_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
_ENTRY = {
    "id": "1640995200000-0",
    "payload": {
        "notification_id": "550e8400-e29b-41d4-a716-446655440000",
        "message": "Hello Alice",
        "created_at": "2024-01-01T12:00:00Z",
        "source": "chat-api",
    },
    "read": False,
    "status": "unread",
    "expires_at": "2024-01-01T12:15:00Z",
    "read_at": None,
    "priority": 2,
    "edition": 1,
    "data": None,
}


class InboxPending(serializers.Serializer[Any]):
    pending_notifications = serializers.DictField(
        child=Entry(many=True), help_text="By `{user_id}-{login}`, oldest first."
    )
    total_pending = serializers.IntegerField(help_text="Of all people, not of this page.")
    users_with_pending = serializers.IntegerField()
    next_cursor = serializers.CharField(allow_null=True)


class InboxHistory(serializers.Serializer[Any]):
    user_id = serializers.IntegerField()
    login = serializers.CharField()
    history = Entry(many=True)
    count = serializers.IntegerField(help_text="Of this page.")
    next_cursor = serializers.CharField(allow_null=True)


class PendingApi(APIView):
    """What nobody has read yet."""

    required_permission = VIEW

    @extend_schema(
        operation_id="inbox_pending",
        summary="List unread notifications of all people",
        description="A page may end within a person's list; the next one goes on there.",
        tags=["inbox"],
        parameters=[limit(1000), CURSOR],
        responses={200: InboxPending, **refusals(s422="`invalid`: limit or cursor")},
        examples=[
            OpenApiExample(
                "One waits",
                {
                    "pending_notifications": {"1-alice": [_ENTRY]},
                    "total_pending": 1,
                    "users_with_pending": 1,
                    "next_cursor": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        page = pending_page(limit=limit_read(given, 1000), after=after_pair(given.get("cursor")))
        people: dict[str, list[dict[str, Any]]] = {}
        for row in page.items:
            people.setdefault(f"{row.user_id}-{row.login}", []).append(entry_of(row))
        unread = unread_total()
        return Response(
            {
                "pending_notifications": people,
                "total_pending": unread.notifications,
                "users_with_pending": unread.people,
                "next_cursor": page.after and f"{page.after[0]}.{page.after[1]}",
            }
        )


class HistoryApi(APIView):
    """What a person was told."""

    required_permission = VIEW

    @extend_schema(
        operation_id="inbox_history",
        summary="List the notifications of a person",
        description="The last 100 unless `limit` says else, oldest first; the cursor leads to "
        "older ones. Somebody who was never told anything has an empty list.",
        tags=["inbox"],
        parameters=[
            OpenApiParameter("user_id", int, required=True),
            OpenApiParameter("login", str, required=True),
            limit(100),
            CURSOR,
        ],
        responses={200: InboxHistory, **refusals(s422="`invalid`: a parameter")},
        examples=[
            OpenApiExample(
                "One was read",
                {
                    "user_id": 1,
                    "login": "alice",
                    "history": [
                        {
                            **_ENTRY,
                            "read": True,
                            "status": "read",
                            "read_at": "2024-01-01T12:00:02Z",
                        }
                    ],
                    "count": 1,
                    "next_cursor": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        user_id, login = given.get("user_id", ""), given.get("login", "")
        if not _WHOLE.fullmatch(user_id) or int(user_id) > MOST_ID:
            raise refused("user_id", "must be a whole number")
        if why := target_check(int(user_id), login):
            raise refused("login", why.removeprefix("login ").rstrip("."))
        page = history_page(
            user_id=int(user_id),
            login=login,
            limit=limit_read(given, 100),
            before=after_position(given.get("cursor")),
        )
        return Response(
            {
                "user_id": int(user_id),
                "login": login,
                "history": [entry_of(row) for row in reversed(page.items)],
                "count": len(page.items),
                "next_cursor": None if page.after is None else stream_id(page.after),
            }
        )
