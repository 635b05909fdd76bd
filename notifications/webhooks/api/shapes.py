"""What endpoints, deliveries and attempts look like over REST."""

from typing import Any

from rest_framework import serializers

from notifications.webhooks.models import Attempt, Delivery, Endpoint
from notifications.webhooks.selectors import (
    delivery_explain,
    endpoint_condition,
    endpoint_explain,
)

EXAMPLE_ID = "01a20221-7d3e-7c41-9d0a-3f2b8c6f1e55"
EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "title": "Shop",
    "url": "https://shop.example/hooks/switchboard",
    "description": "Orders team, #orders",
    "event_types": ["broadcast.completed", "broadcast.failed"],
    "rate_per_minute": 600,
    "max_in_flight": 8,
    "timeout_s": 15,
    "state": "enabled",
    "disabled_at": None,
    "disabled_reason": "",
    "condition": "ok",
    "explanation": "Works; the last delivery was at 2026-11-22 10:00:01 UTC.",
    "failing_since": None,
    "last_success_at": "2026-11-22T10:00:01Z",
    "last_error": "",
    "old_secret_expires_at": None,
    "created_by": "anna",
    "created_at": "2026-11-20T09:00:00Z",
    "updated_at": "2026-11-20T09:00:00Z",
}
DELIVERY_EXAMPLE: dict[str, Any] = {
    "id": 4711,
    "endpoint_id": EXAMPLE_ID,
    "event_id": "01a20225-0c4e-7a0b-8a51-6f2f0d9c7e10",
    "webhook_id": "msg_01a202250c4e7a0b8a516f2f0d9c7e10",
    "event_type": "broadcast.completed",
    "state": "pending",
    "tries": 1,
    "attempts": 1,
    "replays": 0,
    "next_attempt_at": "2026-11-22T10:05:02Z",
    "last_attempt_at": "2026-11-22T10:00:01Z",
    "last_status": 503,
    "last_error": "answered 503",
    "finished_at": None,
    "created_at": "2026-11-22T10:00:00Z",
    "explanation": "Failed once; the last time: answered 503. "
    "The next try is at 2026-11-22 10:05:02 UTC.",
}


class WebhookEndpoint(serializers.Serializer[Any]):
    """An endpoint with how it is. Never with its secrets."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    rate_per_minute = serializers.IntegerField(allow_null=True)
    max_in_flight = serializers.IntegerField()
    timeout_s = serializers.IntegerField()
    state = serializers.CharField(help_text="enabled or disabled.")
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.CharField(help_text="person, failing, gone, or empty.")
    condition = serializers.SerializerMethodField(
        help_text="ok, new, failing, broken (its breaker is open), paused or disabled."
    )
    explanation = serializers.SerializerMethodField(help_text="For people; may change.")
    failing_since = serializers.DateTimeField(source="lane.failing_since", allow_null=True)
    last_success_at = serializers.DateTimeField(source="lane.last_success_at", allow_null=True)
    last_error = serializers.CharField(source="lane.last_error")
    old_secret_expires_at = serializers.DateTimeField(
        allow_null=True, help_text="During a rotation: until when the old secret signs, too."
    )
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_condition(self, endpoint: Endpoint) -> str:
        return endpoint_condition(endpoint)

    def get_explanation(self, endpoint: Endpoint) -> str:
        return endpoint_explain(endpoint)


class WebhookSecrets(serializers.Serializer[Any]):
    """What signs just now."""

    secret = serializers.CharField(allow_null=True, help_text="null: you may not reveal it.")
    old_secret = serializers.CharField(allow_null=True)
    old_secret_expires_at = serializers.DateTimeField(allow_null=True)


class WebhookEndpointMade(WebhookEndpoint):
    """A new endpoint, once with its secret."""

    secret = serializers.CharField()


class WebhookEndpointInput(serializers.Serializer[Any]):
    """What people set of an endpoint."""

    title = serializers.CharField(max_length=120)
    url = serializers.CharField(max_length=2000)
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=80),
        allow_empty=False,
        max_length=200,
        help_text='Names of GET event-types, or ["*"] for all that there are and will be.',
    )
    description = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    rate_per_minute = serializers.IntegerField(
        min_value=1, max_value=600_000, required=False, allow_null=True
    )
    max_in_flight = serializers.IntegerField(min_value=1, max_value=64, required=False)
    timeout_s = serializers.IntegerField(min_value=1, max_value=30, required=False)


class WebhookDelivery(serializers.Serializer[Any]):
    """One event for one endpoint."""

    id = serializers.IntegerField()
    endpoint_id = serializers.UUIDField()
    event_id = serializers.UUIDField()
    webhook_id = serializers.SerializerMethodField(help_text="The header of the same name.")
    event_type = serializers.CharField()
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    tries = serializers.IntegerField(help_text="Of the ladder; a 429 with Retry-After is none.")
    attempts = serializers.IntegerField(help_text="Requests made.")
    replays = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(help_text="Of a pending one.")
    last_attempt_at = serializers.DateTimeField(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True)
    last_error = serializers.CharField()
    finished_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    explanation = serializers.SerializerMethodField(help_text="For people; may change.")

    def get_webhook_id(self, delivery: Delivery) -> str:
        return f"msg_{delivery.event_id.hex}"

    def get_explanation(self, delivery: Delivery) -> str:
        return delivery_explain(delivery)


class WebhookDeliveryDetail(WebhookDelivery):
    """With what is sent."""

    body = serializers.CharField(source="event.body", help_text="The bytes that are signed.")


class WebhookAttempt(serializers.Serializer[Any]):
    """One request."""

    id = serializers.IntegerField()
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=Attempt.Outcome.choices)
    status = serializers.IntegerField(allow_null=True, help_text="null: no answer.")
    error = serializers.CharField()
    url = serializers.CharField()
    response_type = serializers.CharField()
    response_body = serializers.CharField(help_text="The first 20 kB.")
