"""What the live console is told, from rows."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from lib.ids import uuid7
from notifications.inbox.live import picture
from notifications.inbox.models import Client, Notification, Pod, Push, Recipient, Stat


def person(user_id: int, login: str) -> Recipient:
    return Recipient.objects.create(user_id=user_id, login=login)


def screen(who: Recipient, pod: str = "a", **fields: Any) -> Client:
    now = timezone.now()
    return Client.objects.create(
        id=uuid7(), pod_id=pod, recipient_id=who.pk, user_id=who.user_id, login=who.login,
        **{"connected_at": now, "seen_at": now, **fields},
    )  # fmt: skip


def notification(who: Recipient, message: str = "hello", **fields: Any) -> Notification:
    now = timezone.now()
    position = fields.pop("position", int(now.timestamp() * 1000))
    return Notification.objects.create(
        recipient=who, message=message, source="shop", created_at=now, position=position,
        version=position,
        **{"state": "unread", "expires_at": now + timedelta(minutes=15), **fields},
    )  # fmt: skip


def pushed(row: Notification, after_ms: int, client: UUID | None = None) -> None:
    at = timezone.now()
    assert row.position is not None
    Notification.objects.filter(pk=row.pk).update(position=int(at.timestamp() * 1000) - after_ms)
    Push.objects.create(
        notification_id=row.pk, pod_id="a", at=at, devices=[str(client)] if client else []
    )


def test_sockets_people_and_pods_are_counted() -> None:
    alice, bob = person(1, "alice"), person(2, "bob")
    for who, pod in ((alice, "a"), (alice, "b"), (bob, "a")):
        screen(who, pod, device="web")
    now = timezone.now()
    for pod in ("a", "b"):
        Pod.objects.create(pod_id=pod, started_at=now, beat_at=now, connections=9)
    found = picture.clients()
    assert (found["connections"], found["users"]) == (3, 2)
    # Not what they said at their last beat.
    assert [(pod["pod_id"], pod["connections"]) for pod in found["pods"]] == [("a", 2), ("b", 1)]
    assert {(each["login"], each["pod_id"]) for each in found["clients"]} == {
        ("alice", "a"), ("alice", "b"), ("bob", "a"),
    }  # fmt: skip


def test_the_newest_clients_are_listed_and_all_are_counted(monkeypatch: Any) -> None:
    monkeypatch.setattr(picture, "CLIENTS", 2)
    who, now = person(1, "alice"), timezone.now()
    for n in range(4):
        screen(who, device=str(n), connected_at=now + timedelta(seconds=n))
    found = picture.clients()
    assert found["connections"] == 4
    assert [each["device"] for each in found["clients"]] == ["3", "2"]


def test_what_expires_first_is_pending_first() -> None:
    alice, now = person(1, "alice"), timezone.now()
    for n, minutes in enumerate((30, 10, 20)):
        notification(
            alice, f"in {minutes}", position=n + 1, expires_at=now + timedelta(minutes=minutes)
        )
    notification(alice, "read", position=9, state="read")
    found = picture.pending()
    assert [each["message"] for each in found["items"]] == ["in 10", "in 20", "in 30"]
    assert (found["total"], found["users"], found["is_more"]) == (3, 1, False)


def test_pending_is_not_counted_beyond_a_limit(monkeypatch: Any) -> None:
    monkeypatch.setattr(picture, "MOST", 2)
    alice = person(1, "alice")
    for n in range(4):
        notification(alice, position=n + 1)
    found = picture.pending()
    assert (found["total"], found["is_more"]) == (2, True)


def test_counts_are_told_by_minute() -> None:
    minute = timezone.now().replace(second=0, microsecond=0)
    for back, event, count in ((0, "sent", 2), (0, "sent", 3), (1, "sent", 7), (1, "acked", 1)):
        Stat.objects.create(at=minute - timedelta(minutes=back), event=event, count=count)
    Stat.objects.create(at=minute - timedelta(minutes=90), event="sent", count=100)
    found = picture.counts()
    assert len(found["sent"]) == len(found["acked"]) == 60
    # The minute may have turned between making and asking.
    assert [count for count in found["sent"] if count] == [7, 5]
    assert [count for count in found["acked"] if count] == [1]
    assert sum(found["auto_cleared"]) == 0


def test_latency_is_from_the_commit_to_a_screen_that_was_there() -> None:
    alice = person(1, "alice")
    old = UUID(int=uuid7().int - (60_000 << 80))  # connected a minute ago
    for n, ms in enumerate((2, 4, 6)):
        pushed(notification(alice, position=n + 1), ms, old)
    points = picture.latency(600)
    assert sum(count for _, count, *_ in points) == 3
    slowest = max(most for *_, most in points)
    fastest = min(half for _, _, half, *_ in points)
    # A position is whole milliseconds.
    assert 1 <= fastest <= 5
    assert 4 <= slowest <= 7


def test_what_waited_for_a_screen_is_no_latency() -> None:
    alice = person(1, "alice")
    pushed(notification(alice, position=1), 5_000, uuid7())  # the screen came after it
    pushed(notification(alice, position=2), 5, None)
    pushed(notification(alice, position=3), 120_000, UUID(int=uuid7().int - (300_000 << 80)))
    Push.objects.create(notification_id=uuid4(), pod_id="a", at=timezone.now(), devices=["x"])
    assert picture.latency(600) == []
