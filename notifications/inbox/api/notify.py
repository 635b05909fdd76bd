"""Sending notifications: one message to many people, accepted when it is stored."""

import asyncio
from concurrent.futures import Future
from typing import Any

import orjson
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.api.fields import ObjectField, StrictSerializer
from jobs.idempotency import Answer, answer_once
from lib.context import correlation_id
from notifications.inbox import accept, writer
from notifications.inbox.api.shapes import KEY, Target
from notifications.inbox.drafts import KEY_LIMIT, LONGEST_S, MESSAGE_LIMIT, SOURCE_LIMIT
from notifications.inbox.repeats import once
from notifications.inbox.requests import MOST_BODY_BYTES, draft_read
from notifications.inbox.shapes import Draft

PATH = "api/v1/notify"
SCOPE = f"POST /{PATH}"
_SMALL_BODY = 16 * 1024  # a larger one is read in a thread, so that it holds up nobody else


class NotifyInput(StrictSerializer):
    """A message to people."""

    target = Target(many=True, help_text="1 to 10,000 people; who is named twice is told once.")
    message = serializers.CharField(max_length=MESSAGE_LIMIT)
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=SOURCE_LIMIT, help_text="Which backend speaks."
    )
    created_at = serializers.DateTimeField(required=False, help_text="Default: now.")
    ttl_s = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_S,
        help_text="Unread for longer: cleared. Default 900.",
    )
    collapse_key = serializers.CharField(
        required=False,
        max_length=KEY_LIMIT,
        help_text="Takes the place of the person's unread one with the same key.",
    )
    priority = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=3,
        help_text="0 critical (passes quiet hours) to 3 low; default 2.",
    )
    data = ObjectField(  # type: ignore[assignment]
        required=False, help_text="Shown to clients; 4,096 bytes as JSON."
    )
    fallback_after_s = serializers.IntegerField(
        required=False, min_value=1, help_text="Unread for so long: tell by Telegram, too."
    )


class NotifyResult(serializers.Serializer[Any]):
    target = Target()
    notification_id = serializers.UUIDField()


class NotifyAccepted(serializers.Serializer[Any]):
    results = NotifyResult(many=True, help_text="One per target, in order.")


class NotifyApi(APIView):
    """Send a message to people.

    `post_awaited` answers the same without a thread: it is for the door of the web process
    (config/asgi.py), and its requests share the commits of the writer.
    """

    required_permission = "inbox.send_notification"
    max_body_bytes = MOST_BODY_BYTES

    @extend_schema(
        operation_id="inbox_notify",
        summary="Send a notification",
        description="202 means: stored for each target. It is shown on the person's open screens "
        "at once, else when they connect.",
        tags=["inbox"],
        parameters=[KEY],
        request=NotifyInput,
        responses={
            202: NotifyAccepted,
            **refusals(
                s400="`malformed`: the body is not JSON",
                s409="`idempotency_in_flight`",
                s413="`too_many_targets`: more than 10,000; `too_large`: the body has over 4 MB",
                s422="`invalid`, `idempotency_key_reused`, `idempotency_key_invalid`",
                s429="`rate_limited`",
                s503="`busy`, `unavailable`: nothing was stored",
            ),
        },
        examples=[
            OpenApiExample(
                "To two people",
                {
                    "target": [{"id": 1, "login": "alice"}, {"id": 2, "login": "bob"}],
                    "message": "Your order #12345 was sent and arrives tomorrow",
                    "created_at": "2024-01-01T12:00:00Z",
                    "source": "order-service",
                },
                request_only=True,
            ),
            OpenApiExample(
                "Accepted",
                {
                    "results": [
                        {
                            "target": {"id": 1, "login": "alice"},
                            "notification_id": "550e8400-e29b-41d4-a716-446655440000",
                        }
                    ]
                },
                response_only=True,
                status_codes=["202"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        draft = _draft(request)

        def act() -> tuple[int, Any]:
            accept.accept([draft])
            return 202, {"results": _results(draft)}

        return _answered(
            answer_once(
                account_id=int(request.user.pk or 0),
                scope=SCOPE,
                key=request.headers.get("Idempotency-Key"),
                body=request.data,
                act=act,
            )
        )

    async def post_awaited(self, request: Request) -> Response:
        """What post answers."""
        if int(request.META.get("CONTENT_LENGTH") or 0) <= _SMALL_BODY:
            answer = _submitted(request)
        else:
            answer = await asyncio.to_thread(_submitted, request)
        return _answered(await asyncio.wrap_future(answer))


def _draft(request: Request) -> Draft:
    """What is to be stored. Raises DraftInvalid, TooManyTargets."""
    draft = draft_read(request.data)
    draft.sender_id = request.user.pk
    draft.correlation_id = correlation_id.get()
    return draft


def _results(draft: Draft) -> list[dict[str, Any]]:
    return [
        {"target": {"id": target[0], "login": target[1]}, "notification_id": draft.ids[target]}
        for target in draft.targets
    ]


def _submitted(request: Request) -> Future[Answer]:
    draft, key = _draft(request), request.headers.get("Idempotency-Key")
    if key is None:
        return writer.submit(draft)
    account_id = int(request.user.pk or 0)
    return writer.submit(
        draft, once=once(account_id=account_id, scope=SCOPE, key=key, body=request.data)
    )


def _answered(answer: Answer) -> Response:
    headers = {"Idempotent-Replayed": "true"} if answer.is_repeat else None
    return Response(orjson.Fragment(answer.body), status=answer.status, headers=headers)
