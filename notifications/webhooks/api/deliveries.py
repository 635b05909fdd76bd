"""Webhook deliveries over REST: lists, one with its attempts, replay, cancel."""

from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from notifications.webhooks import deliveries
from notifications.webhooks.api.parameters import MOST, moment_read, number_read, uuid_read
from notifications.webhooks.api.shapes import (
    DELIVERY_EXAMPLE,
    WebhookAttempt,
    WebhookDelivery,
    WebhookDeliveryDetail,
)
from notifications.webhooks.deliveries import COUNTED, Which
from notifications.webhooks.listing import PAGE, STATES, DeliveryFilter, deliveries_page
from notifications.webhooks.selectors import attempts_of, delivery_get

TAGS = ["webhooks"]
VIEW = "webhooks.view_delivery"
OPERATE = "webhooks.operate_delivery"
_GONE = "`not_found`"


class WebhookDeliveriesFound(serializers.Serializer[Any]):
    items = WebhookDelivery(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    looked_to = serializers.DateTimeField(
        allow_null=True,
        help_text="Set if the search stopped before the page was full: older deliveries were not "
        "looked at yet; next_cursor goes on.",
    )


class WebhookAttempts(serializers.Serializer[Any]):
    items = WebhookAttempt(many=True)


class WebhookReplayInput(serializers.Serializer[Any]):
    """What of a span of time is sent again."""

    since = serializers.DateTimeField(help_text="With a time zone.")
    until = serializers.DateTimeField(required=False, help_text="Default: now.")
    which = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Which],
        default=Which.FAILED.value,
        help_text="failed: what was given up; all: all that has ended; missing: events of its types "
        "that it was never told, because it was off or not there yet.",
    )
    dry_run = serializers.BooleanField(default=False, help_text="Only count.")


class WebhookReplayOutput(serializers.Serializer[Any]):
    """A replay of many."""

    job_id = serializers.UUIDField(allow_null=True, help_text="null after a dry run.")
    count = serializers.IntegerField(help_text=f"How many it is about, up to {COUNTED + 1}.")


class DeliveriesApi(APIView):
    """Deliveries by filter."""

    required_permission = VIEW

    @extend_schema(
        operation_id="webhook_deliveries_list",
        summary="List webhook deliveries",
        description="Newest first.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("endpoint", UUID),
            OpenApiParameter("state", str, enum=STATES),
            OpenApiParameter("event_type", str),
            OpenApiParameter("event", UUID, description="All deliveries of one event."),
            OpenApiParameter("status", int, description="The last answer."),
            OpenApiParameter("created_from", datetime),
            OpenApiParameter("created_to", datetime),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: WebhookDeliveriesFound, **refusals(s422="`invalid`: a filter")},
        examples=[
            OpenApiExample(
                "One that failed once",
                {"items": [DELIVERY_EXAMPLE], "next_cursor": None, "looked_to": None},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        where = DeliveryFilter(
            state=given.get("state", ""),
            endpoint_id=uuid_read(given, "endpoint"),
            event_type=given.get("event_type", "").replace("\x00", "\ufffd"),
            status=number_read(given, "status", 999),
            created_from=moment_read(given, "created_from"),
            created_to=moment_read(given, "created_to"),
            event_id=uuid_read(given, "event"),
        )
        page = deliveries_page(
            where,
            after=number_read(given, "cursor"),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        return Response(
            {
                "items": WebhookDelivery(page.deliveries, many=True).data,
                "next_cursor": None if page.after is None else str(page.after),
                "looked_to": page.looked_to,
            }
        )


class DeliveryApi(APIView):
    """One delivery."""

    required_permission = VIEW

    @extend_schema(
        operation_id="webhook_delivery_get",
        summary="Look at a webhook delivery",
        tags=TAGS,
        responses={200: WebhookDeliveryDetail, **refusals(s404=_GONE)},
    )
    def get(self, request: Request, delivery_id: int) -> Response:
        return Response(WebhookDeliveryDetail(delivery_get(delivery_id)).data)


class DeliveryAttemptsApi(APIView):
    """The attempts of a delivery."""

    required_permission = VIEW

    @extend_schema(
        operation_id="webhook_delivery_attempts",
        summary="List the attempts of a delivery",
        description="Newest first, the latest 100.",
        tags=TAGS,
        responses={200: WebhookAttempts, **refusals(s404=_GONE)},
        examples=[
            OpenApiExample(
                "One",
                {
                    "items": [
                        {
                            "id": 9001,
                            "number": 1,
                            "at": "2026-11-22T10:00:01Z",
                            "duration_ms": 84,
                            "outcome": "failed",
                            "status": 503,
                            "error": "answered 503",
                            "url": "https://shop.example/hooks/switchboard",
                            "response_type": "text/plain",
                            "response_body": "down for maintenance",
                        }
                    ]
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, delivery_id: int) -> Response:
        found = attempts_of(delivery_get(delivery_id).pk)
        return Response({"items": WebhookAttempt(found, many=True).data})


class DeliveryActApi(APIView):
    """Replay or cancel a delivery."""

    required_permission = OPERATE
    act = ""

    @extend_schema(
        tags=TAGS,
        request=None,
        responses={
            200: WebhookDelivery,
            **refusals(
                s404=_GONE, s409="`delivery_pending`, `delivery_not_pending` or `endpoint_disabled`"
            ),
        },
    )
    def post(self, request: Request, delivery_id: int) -> Response:
        act = deliveries.delivery_replay if self.act == "replay" else deliveries.delivery_cancel
        act(delivery_id=delivery_id, by=request.user)
        return Response(WebhookDelivery(delivery_get(delivery_id)).data)


class EndpointReplayApi(APIView):
    """Replay a span of time."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="webhook_endpoint_replay",
        summary="Replay an endpoint's deliveries since a time",
        description="A job sends them again, with the same webhook-id and body, at the pace that "
        "the endpoint allows.",
        tags=TAGS,
        request=WebhookReplayInput,
        responses={
            202: WebhookReplayOutput,
            200: WebhookReplayOutput,
            **refusals(s404=_GONE, s409="`endpoint_disabled`", s422="`invalid`: the span"),
        },
        examples=[
            OpenApiExample(
                "What failed since an outage began",
                {"since": "2026-11-22T08:00:00Z", "which": "failed"},
                request_only=True,
            ),
            OpenApiExample(
                "Begun",
                {"job_id": "01a20226-1111-7a0b-8a51-6f2f0d9c7e10", "count": 312},
                response_only=True,
                status_codes=["202"],
            ),
        ],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        data = WebhookReplayInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        span = deliveries.span_make(
            endpoint_id=endpoint_id,
            since=given["since"],
            until=given.get("until"),
            which=Which(given["which"]),
        )
        count = deliveries.span_count(span)
        if given["dry_run"]:
            return Response({"job_id": None, "count": count})
        job_id = deliveries.deliveries_replay_since(span=span, by=request.user)
        return Response({"job_id": job_id, "count": count}, status=202)
