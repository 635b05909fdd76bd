"""What other systems are told: the event `notification.pending`."""

from datetime import datetime
from typing import Any
from uuid import UUID

PENDING = "notification.pending"
TITLE = "A message is unread after its delay"
TEXT_SHOWN = 1000  # characters of the message that the event carries
EXAMPLE: dict[str, Any] = {
    "dialog_id": "01935b0e-7c1a-7d3e-9a51-6f0c2b8e4d10",
    "dialog_title": "Order 12345",
    "recipient_id": "42",
    "sender_id": "7",
    "message_id": "01935b0e-8f22-7a40-8c3d-2f4b9e1a6c77",
    "position": 5,
    "text": "Your parcel is waiting at the door.",
    "sent_at": "2026-11-22T08:00:00+00:00",
    "unread_count": 5,
}


def pending_event(
    *,
    dialog_id: UUID,
    dialog_title: str,
    recipient_id: str,
    sender_id: str,
    message_id: UUID,
    position: int,
    text: str,
    sent_at: datetime,
    unread: int,
) -> dict[str, Any]:
    """The data of the event: the latest message, and how many this person has not read."""
    return {
        "dialog_id": str(dialog_id),
        "dialog_title": dialog_title,
        "recipient_id": recipient_id,
        "sender_id": sender_id,
        "message_id": str(message_id),
        "position": position,
        "text": text[:TEXT_SHOWN],
        "sent_at": sent_at.isoformat(),
        "unread_count": unread,
    }
