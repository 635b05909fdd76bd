"""What goes in and comes out, as the OpenAPI document shows it."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from notifications.conversations.models import Dialog, Message, Participant
from notifications.conversations.models.dialog import USER_LIMIT

VIEW, OPERATE, SEND = (
    "conversations.view_dialog",
    "conversations.operate_dialog",
    "conversations.send_message",
)
DIALOG_UNKNOWN = "`dialog_unknown`"
NOT_THERE = "`not_a_participant`: the person is not in the dialog, or has left it"
INVALID = "`invalid`: says which field and why"
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 200 printable characters, kept for a day. The same key and body: the same "
    "answer, with `Idempotent-Replayed: true`. Another body: 422. Still at work: 409.",
)
KEY_REFUSED = "`idempotency_key_reused`, `idempotency_key_invalid`"


@extend_schema_field({"oneOf": [{"type": "string", "maxLength": USER_LIMIT}, {"type": "integer"}]})
class UserField(serializers.CharField):
    """The id of a person: a text of 1 to 64 characters, or a number."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", USER_LIMIT)
        kwargs.setdefault("help_text", "A person, as the backend that owns them calls them.")
        super().__init__(**kwargs)


class MessageShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    dialog_id = serializers.UUIDField()
    position = serializers.IntegerField(help_text="Grows by one within the dialog.")
    sender_id = serializers.CharField()
    text = serializers.CharField()
    sent_at = serializers.DateTimeField()


class ParticipantShape(serializers.Serializer[Any]):
    user_id = serializers.CharField()
    joined_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    last_read_position = serializers.IntegerField(help_text="0: has read nothing.")
    last_read_at = serializers.DateTimeField(allow_null=True)
    unread_count = serializers.IntegerField()
    notifications_enabled = serializers.BooleanField()
    is_archived = serializers.BooleanField()


class DialogShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    active_at = serializers.DateTimeField(help_text="The latest message, or when it was made.")
    archived_at = serializers.DateTimeField(allow_null=True, help_text="Put away for all.")
    last_position = serializers.IntegerField(help_text="Of the latest message; 0: there is none.")
    last_message = MessageShape(allow_null=True)
    participant = ParticipantShape(
        allow_null=True, help_text="The person that was asked about by user_id."
    )


class DialogFullShape(DialogShape):
    participants = ParticipantShape(many=True, help_text="The first 500, in the order they came.")


def message_of(row: Message) -> dict[str, Any]:
    """See MessageShape."""
    return {
        "id": row.pk,
        "dialog_id": row.dialog_id,
        "position": row.position,
        "sender_id": row.sender_id,
        "text": row.text,
        "sent_at": row.sent_at,
    }


def participant_of(row: Participant) -> dict[str, Any]:
    """See ParticipantShape."""
    return {
        "user_id": row.user_id,
        "joined_at": row.joined_at,
        "left_at": row.left_at,
        "last_read_position": row.last_read_position,
        "last_read_at": row.last_read_at,
        "unread_count": row.unread,
        "notifications_enabled": row.notifications_enabled,
        "is_archived": row.is_archived,
    }


def dialog_of(
    row: Dialog, *, last: Message | None = None, person: Participant | None = None
) -> dict[str, Any]:
    """See DialogShape."""
    return {
        "id": row.pk,
        "title": row.title,
        "created_at": row.created_at,
        "active_at": row.active_at,
        "archived_at": row.archived_at,
        "last_position": row.last_position,
        "last_message": message_of(last) if last else None,
        "participant": participant_of(person) if person else None,
    }
