"""What goes in and comes out, as the OpenAPI document shows it, and rows in that form."""

from typing import Any

import orjson
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from jobs.api.fields import ObjectField
from notifications.inbox.models import State
from notifications.inbox.positions import stream_id
from notifications.inbox.selectors.listing import Listed

STATES = f"{', '.join(State.values)}."
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 200 printable characters, kept for a day. The same key and body: the same "
    "answer, with `Idempotent-Replayed: true`. Another body: 422. Still at work: 409.",
)


class Target(serializers.Serializer[Any]):
    """A person as backends name them."""

    id = serializers.IntegerField(min_value=0)
    login = serializers.CharField(max_length=150)


class Payload(serializers.Serializer[Any]):
    """What was sent."""

    notification_id = serializers.UUIDField()
    message = serializers.CharField()
    created_at = serializers.DateTimeField()
    source = serializers.CharField()  # type: ignore[assignment]


class Entry(serializers.Serializer[Any]):
    """A notification as it stands in a person's inbox."""

    id = serializers.CharField(help_text="stream_id: where it stands.")
    payload = Payload()
    read = serializers.BooleanField()
    status = serializers.CharField(help_text=STATES)
    expires_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    priority = serializers.IntegerField(min_value=0, max_value=3)
    edition = serializers.IntegerField(help_text="Grows with each change of the text.")
    data = ObjectField(allow_null=True)  # type: ignore[assignment]


def entry_of(row: Listed) -> dict[str, Any]:
    """A notification on the wire; see Entry."""
    return {
        "id": stream_id(row.position),
        "payload": {
            "notification_id": row.id,
            "message": row.message,
            "created_at": row.created_at,
            "source": row.source,
        },
        "read": row.state == State.READ,
        "status": row.state,
        "expires_at": row.expires_at,
        "read_at": row.read_at,
        "priority": row.priority,
        "edition": row.edition,
        "data": None if row.data is None else orjson.Fragment(row.data),
    }
