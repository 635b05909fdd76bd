"""Rows for tests of the console, made by the services that make them in life."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lib import clock
from lib.ids import uuid7
from notifications.inbox.accept import accept
from notifications.inbox.expiry import notifications_expire
from notifications.inbox.models import Client, Notification, Pod, Push, Recipient
from notifications.inbox.reading import read_many
from notifications.inbox.recall import notification_recall
from notifications.inbox.recipients import recipients_find
from notifications.inbox.shapes import Draft, Target

ALICE: Target = (7, "alice")


def person_make(target: Target = ALICE, **fields: Any) -> Recipient:
    """A person, with preferences as fields."""
    pk = recipients_find([target])[target]
    Recipient.objects.filter(pk=pk).update(**fields)
    return Recipient.objects.get(pk=pk)


def sleeper_make(target: Target = ALICE, **fields: Any) -> Recipient:
    """A person who keeps quiet hours from an hour ago for some hours, in UTC."""
    now = clock.now()
    start, end = now - timedelta(hours=1), now + timedelta(hours=5)
    quiet = {"quiet_from": start.time().replace(microsecond=0), "quiet_to": end.time()}
    return person_make(target, **{**quiet, "time_zone": "UTC", **fields})


def note_make(
    target: Target = ALICE, message: str = "Your order is ready", **fields: Any
) -> Notification:
    """An accepted notification."""
    draft = Draft([target], message, fields.pop("source", "shop"), **fields)
    accept([draft])
    return fresh(draft.ids[target])


def read_make(target: Target = ALICE, message: str = "Read it", **fields: Any) -> Notification:
    row = note_make(target, message, **fields)
    read_many([(row.recipient_id, row.pk)])
    return fresh(row.pk)


def recalled_make(target: Target = ALICE, **fields: Any) -> Notification:
    row = note_make(target, **fields)
    notification_recall(notification_id=row.pk, by=None)
    return fresh(row.pk)


def expired_make(target: Target = ALICE, **fields: Any) -> Notification:
    row = note_make(target, **fields)
    notifications_expire(notification_ids=[row.pk], by=None)
    return fresh(row.pk)


def muted_make(target: Target = ALICE, **fields: Any) -> Notification:
    person_make(target, muted_sources=["ads"])
    return note_make(target, source="ads", **fields)


def deferred_make(target: Target = ALICE, **fields: Any) -> Notification:
    sleeper_make(target)
    return note_make(target, **fields)


def fresh(row: Notification | UUID) -> Notification:
    """The row as it is now."""
    pk = row.pk if isinstance(row, Notification) else row
    return Notification.objects.get(pk=pk)


def pod_make(pod_id: str = "pod-1", *, silent_s: float = 1, **fields: Any) -> Pod:
    """A pod that beat so many seconds ago."""
    now = datetime.now(UTC)
    given = {"started_at": now - timedelta(hours=2), "version": "1.0", "address": "10.0.0.1:8000"}
    beat_at = now - timedelta(seconds=silent_s)
    return Pod.objects.create(pod_id=pod_id, beat_at=beat_at, **{**given, **fields})


def device_make(person: Recipient, device: str = "phone", pod_id: str = "pod-1") -> Client:
    """An open socket of a person."""
    now = clock.now()
    return Client.objects.create(
        id=uuid7(), pod_id=pod_id, recipient_id=person.pk, user_id=person.user_id,
        login=person.login, device=device, address="192.0.2.7", connected_at=now, seen_at=now,
        user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
    )  # fmt: skip


def push_make(row: Notification, *devices: Client) -> Push:
    """A pod noted that it has written a notification to sockets."""
    pod_id = devices[0].pod_id if devices else "pod-1"
    return Push.objects.create(
        notification_id=row.pk, pod_id=pod_id, at=clock.now(),
        devices=[f"{device.pk} {device.device}" for device in devices],
    )  # fmt: skip
