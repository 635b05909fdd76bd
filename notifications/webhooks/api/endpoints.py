"""Webhook endpoints over REST."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from notifications.webhooks import endpoints
from notifications.webhooks.api.parameters import MOST, number_read, uuid_read
from notifications.webhooks.api.shapes import (
    DELIVERY_EXAMPLE,
    EXAMPLE,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEndpointInput,
    WebhookEndpointMade,
    WebhookSecrets,
)
from notifications.webhooks.listing import PAGE
from notifications.webhooks.selectors import delivery_get, endpoint_get, endpoints_all
from notifications.webhooks.types import event_types

TAGS = ["webhooks"]
REVEAL = "webhooks.reveal_secret"
_INVALID = "`invalid`, `invalid_url` or `unknown_event_type`"
_GONE = "`not_found`"
_OFF = "`endpoint_disabled`"


class WebhookEventType(serializers.Serializer[Any]):
    """What an endpoint may ask for."""

    name = serializers.CharField()
    title = serializers.CharField()
    example = serializers.DictField(help_text="`data` of such an event.")


class WebhookEventTypes(serializers.Serializer[Any]):
    items = WebhookEventType(many=True)


class WebhookEndpointsFound(serializers.Serializer[Any]):
    items = WebhookEndpoint(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class WebhookRotation(serializers.Serializer[Any]):
    """How a secret is rotated."""

    overlap_s = serializers.IntegerField(
        min_value=0,
        max_value=30 * 86_400,
        required=False,
        help_text="For how long the old secret signs, too; default WEBHOOK_SECRET_OVERLAP.",
    )


class EventTypesApi(APIView):
    """What endpoints may ask for."""

    required_permission = "webhooks.view_endpoint"

    @extend_schema(
        operation_id="webhook_event_types",
        summary="List event types",
        tags=TAGS,
        responses={200: WebhookEventTypes},
        examples=[
            OpenApiExample(
                "The test",
                {
                    "items": [
                        {
                            "name": "webhook.test",
                            "title": "A test, sent by a person",
                            "example": {"message": "This is a test.", "sent_by": "anna"},
                        }
                    ]
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        return Response({"items": WebhookEventType(event_types(), many=True).data})


class EndpointsApi(APIView):
    """All endpoints; a new one."""

    required_permission: ClassVar = {
        "GET": "webhooks.view_endpoint",
        "POST": "webhooks.add_endpoint",
    }

    @extend_schema(
        operation_id="webhook_endpoints_list",
        summary="List webhook endpoints",
        description="Newest first.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: WebhookEndpointsFound, **refusals(s422="`invalid`: limit or cursor")},
        examples=[
            OpenApiExample("One", {"items": [EXAMPLE], "next_cursor": None}, response_only=True)
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        size, after = number_read(given, "limit", MOST) or PAGE, uuid_read(given, "cursor")
        rows = endpoints_all() if after is None else endpoints_all().filter(pk__lt=after)
        page = list(rows[: size + 1])
        return Response(
            {
                "items": WebhookEndpoint(page[:size], many=True).data,
                "next_cursor": str(page[size - 1].pk) if len(page) > size else None,
            }
        )

    @extend_schema(
        operation_id="webhook_endpoint_create",
        summary="Make a webhook endpoint",
        description="It is enabled at once. Its secret is in this answer and, for those who may "
        "reveal it, at `/secret`.",
        tags=TAGS,
        request=WebhookEndpointInput,
        responses={201: WebhookEndpointMade, **refusals(s422=_INVALID)},
        examples=[
            OpenApiExample(
                "Two types",
                {
                    "title": "Shop",
                    "url": "https://shop.example/hooks/switchboard",
                    "event_types": ["broadcast.completed", "broadcast.failed"],
                },
                request_only=True,
            ),
            OpenApiExample(
                "Made",
                {**EXAMPLE, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        data = WebhookEndpointInput(data=request.data)
        data.is_valid(raise_exception=True)
        made = endpoints.endpoint_create(**data.validated_data, by=request.user)
        return Response(WebhookEndpointMade(endpoint_get(made.pk)).data, status=201)


class EndpointApi(APIView):
    """One endpoint."""

    required_permission: ClassVar = {
        "GET": "webhooks.view_endpoint",
        "PATCH": "webhooks.change_endpoint",
        "DELETE": "webhooks.delete_endpoint",
    }

    @extend_schema(
        operation_id="webhook_endpoint_get",
        summary="Look at a webhook endpoint",
        tags=TAGS,
        responses={200: WebhookEndpoint, **refusals(s404=_GONE)},
        examples=[OpenApiExample("It works", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        return Response(WebhookEndpoint(endpoint_get(endpoint_id)).data)

    @extend_schema(
        operation_id="webhook_endpoint_change",
        summary="Change a webhook endpoint",
        description="What is not given stays. A new address starts with a clean sheet.",
        tags=TAGS,
        request=WebhookEndpointInput(partial=True),
        responses={200: WebhookEndpoint, **refusals(s404=_GONE, s422=_INVALID)},
        examples=[
            OpenApiExample("A throttle", {"rate_per_minute": 600}, request_only=True),
            OpenApiExample("Changed", EXAMPLE, response_only=True),
        ],
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        data = WebhookEndpointInput(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        endpoints.endpoint_change(endpoint_id=endpoint_id, by=request.user, **data.validated_data)
        return Response(WebhookEndpoint(endpoint_get(endpoint_id)).data)

    @extend_schema(
        operation_id="webhook_endpoint_delete",
        summary="Delete a webhook endpoint",
        description="For good, with its deliveries and attempts.",
        tags=TAGS,
        responses={204: None, **refusals(s404=_GONE)},
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        endpoints.endpoint_delete(endpoint_id=endpoint_id, by=request.user)
        return Response(status=204)


class EndpointSwitchApi(APIView):
    """Switch an endpoint on or off."""

    required_permission = "webhooks.change_endpoint"
    act = ""

    @extend_schema(
        tags=TAGS, request=None, responses={200: WebhookEndpoint, **refusals(s404=_GONE)}
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        act = endpoints.endpoint_enable if self.act == "enable" else endpoints.endpoint_disable
        act(endpoint_id=endpoint_id, by=request.user)
        return Response(WebhookEndpoint(endpoint_get(endpoint_id)).data)


class EndpointPingApi(APIView):
    """Send a test event."""

    required_permission = "webhooks.send_ping"

    @extend_schema(
        operation_id="webhook_endpoint_ping",
        summary="Send a test event to an endpoint",
        description="`webhook.test`, to this endpoint alone. Follow the delivery to see what it "
        "answered.",
        tags=TAGS,
        request=None,
        responses={202: WebhookDelivery, **refusals(s404=_GONE, s409=_OFF)},
        examples=[
            OpenApiExample(
                "On its way",
                {
                    **DELIVERY_EXAMPLE,
                    "event_type": "webhook.test",
                    "tries": 0,
                    "attempts": 0,
                    "last_attempt_at": None,
                    "last_status": None,
                    "last_error": "",
                    "explanation": "Due since 2026-11-22 10:00:00 UTC; waits for its turn.",
                },
                response_only=True,
                status_codes=["202"],
            )
        ],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        made = endpoints.endpoint_ping(endpoint_id=endpoint_id, by=request.user)
        return Response(WebhookDelivery(delivery_get(made.pk)).data, status=202)


class EndpointTryNowApi(APIView):
    """Close the breaker of an endpoint."""

    required_permission = "webhooks.operate_delivery"

    @extend_schema(
        operation_id="webhook_endpoint_try_now",
        summary="Try an endpoint now",
        description="Closes its breaker and ends a pause that it asked for.",
        tags=TAGS,
        request=None,
        responses={200: WebhookEndpoint, **refusals(s404=_GONE, s409=_OFF)},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        endpoints.endpoint_try_now(endpoint_id=endpoint_id, by=request.user)
        return Response(WebhookEndpoint(endpoint_get(endpoint_id)).data)


class EndpointSecretApi(APIView):
    """Read the secrets of an endpoint."""

    required_permission = REVEAL

    @extend_schema(
        operation_id="webhook_secret_get",
        summary="Read the signing secrets",
        description="Who reads them is in the audit log.",
        tags=TAGS,
        responses={200: WebhookSecrets, **refusals(s404=_GONE)},
        examples=[
            OpenApiExample(
                "No rotation",
                {
                    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                    "old_secret": None,
                    "old_secret_expires_at": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        found = endpoints.endpoint_reveal_secret(endpoint_id=endpoint_id, by=request.user)
        return Response(WebhookSecrets(found).data)


class EndpointRotateApi(APIView):
    """Rotate the secret of an endpoint."""

    required_permission = "webhooks.change_endpoint"

    @extend_schema(
        operation_id="webhook_secret_rotate",
        summary="Rotate the signing secret",
        description="Both secrets sign until the overlap is over, so that no delivery fails to "
        "verify while the receiver changes over. The answer holds both for those who may reveal them.",
        tags=TAGS,
        request=WebhookRotation,
        responses={
            200: WebhookSecrets,
            **refusals(s404=_GONE, s409="`rotation_unfinished`: the old secret still signs"),
        },
        examples=[OpenApiExample("Two days", {"overlap_s": 172_800}, request_only=True)],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        data = WebhookRotation(data=request.data)
        data.is_valid(raise_exception=True)
        seconds = data.validated_data.get("overlap_s")
        rotated = endpoints.endpoint_rotate_secret(
            endpoint_id=endpoint_id,
            overlap=None if seconds is None else timedelta(seconds=seconds),
            by=request.user,
        )
        body = WebhookSecrets(rotated).data
        if not request.user.has_perm(REVEAL):
            body |= {"secret": None, "old_secret": None}
        return Response(body)


class EndpointRetireApi(APIView):
    """End a rotation."""

    required_permission = "webhooks.change_endpoint"

    @extend_schema(
        operation_id="webhook_secret_retire",
        summary="Let the old secret sign nothing any more",
        tags=TAGS,
        request=None,
        responses={200: WebhookEndpoint, **refusals(s404=_GONE)},
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        endpoints.endpoint_retire_secret(endpoint_id=endpoint_id, by=request.user)
        return Response(WebhookEndpoint(endpoint_get(endpoint_id)).data)
