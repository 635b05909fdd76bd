"""The smallest valid rows, and what tests of the webhooks share."""

from collections.abc import Mapping
from typing import Any

from jobs import sql
from lib import clock
from lib.ids import uuid7
from notifications.webhooks.models import Delivery, Endpoint, Event, Lane
from notifications.webhooks.services import event_body
from notifications.webhooks.types import TEST

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # that of the specification's example


def endpoint_make(**changes: Any) -> Endpoint:
    """An enabled endpoint that wants everything, with its lane."""
    fields: dict[str, Any] = {
        "title": "Shop",
        "url": "https://shop.example/hooks",
        "event_types": ["*"],
        "secret": SECRET,
        **changes,
    }
    endpoint = Endpoint.objects.create(**fields)
    Lane.objects.create(endpoint=endpoint)
    return endpoint


def delivery_make(
    endpoint: Endpoint | None = None, data: Mapping[str, Any] | None = None, **changes: Any
) -> Delivery:
    """A due delivery of a test event."""
    event = Event.objects.create(
        id=uuid7(), type=TEST, body=event_body(TEST, data or {}), created_at=clock.now()
    )
    fields = {
        "event": event,
        "endpoint": endpoint or endpoint_make(),
        "event_type": TEST,
        "next_attempt_at": clock.now(),
        "created_at": clock.now(),
        **changes,
    }
    if fields.get("state", "pending") != "pending":
        fields.setdefault("finished_at", clock.now())
    return Delivery.objects.create(**fields)


def emitted() -> list[str]:
    """The types of all stored events, oldest first."""
    return [row[0] for row in sql.rows("SELECT type FROM webhook_event ORDER BY created_at, id")]
