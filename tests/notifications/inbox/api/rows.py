"""Rows as the hub and the writer leave them: the smallest that are valid."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lib import clock
from lib.ids import uuid7
from notifications.inbox.models import Client, Notification, Push, Recipient

BASE = 1_700_000_000_000  # a position


def recipient_make(user_id: int = 1, login: str = "alice", **changes: Any) -> Recipient:
    return Recipient.objects.get_or_create(user_id=user_id, login=login, defaults=changes)[0]


def notification_make(position: int | None = BASE, **changes: Any) -> Notification:
    """Unread, of alice. position None: it never got one."""
    now = clock.now()
    fields: dict[str, Any] = {
        "recipient": changes.pop("recipient", None) or recipient_make(),
        "position": position,
        "version": position,
        "state": "unread",
        "message": "Hello",
        "source": "shop",
        "created_at": now,
        "accepted_at": now,
        "expires_at": now + timedelta(minutes=15),
    }
    return Notification.objects.create(**fields | changes)


def client_make(recipient: Recipient | None = None, **changes: Any) -> Client:
    recipient = recipient or recipient_make()
    now = clock.now()
    fields: dict[str, Any] = {
        "id": uuid7(),
        "pod_id": "pod-1",
        "recipient_id": recipient.pk,
        "user_id": recipient.user_id,
        "login": recipient.login,
        "connected_at": now,
        "seen_at": now,
    }
    return Client.objects.create(**fields | changes)


def push_make(row: Notification, *devices: str, at: datetime | None = None) -> Push:
    return Push.objects.create(
        notification_id=row.pk, pod_id="pod-1", at=at or clock.now(), devices=list(devices)
    )


def ids(rows: list[Any]) -> list[UUID]:
    return [row.id for row in rows]
