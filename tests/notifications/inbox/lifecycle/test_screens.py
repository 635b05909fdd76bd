"""An answer to a recall says how many screens had it, also those whose note is on its way."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest

from lib import clock
from lib.ids import uuid7
from notifications.inbox import recall
from notifications.inbox.models import Client, Push
from notifications.inbox.recall import notification_recall, notification_update, screens_count
from tests.notifications.inbox.lifecycle.play import fresh, send

pytestmark = pytest.mark.django_db(transaction=True)


def pushed(each: UUID, *devices: str, pod: str = "p1") -> None:
    Push.objects.create(notification_id=each, pod_id=pod, at=clock.now(), devices=list(devices))


def connected(each: UUID) -> str:
    """A socket of the person to whom it went."""
    row = fresh(each).recipient
    client = Client.objects.create(
        id=uuid7(), pod_id="p1", recipient_id=row.pk, user_id=row.user_id, login=row.login,
        connected_at=clock.now(), seen_at=clock.now(),
    )  # fmt: skip
    return str(client.pk)


def test_each_screen_counts_once() -> None:
    each = send()
    pushed(each, "a", "b")
    pushed(each, "c", pod="p2")
    pushed(each, "a", pod="p2")
    assert screens_count(each) == 3
    assert notification_update(notification_id=each, message="Other", by=None).screens == 3
    assert notification_recall(notification_id=each, by=None).screens == 3


def test_a_note_that_is_on_its_way_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "YOUNG", timedelta(seconds=20))
    each = send()
    client = connected(each)
    looked = threading.Event()
    count = recall.screens_count

    def look(notification_id: UUID) -> int:
        if looked.is_set() and not Push.objects.exists():
            pushed(each, client)  # the pod's note comes after the first look
        looked.set()
        return count(notification_id)

    monkeypatch.setattr(recall, "screens_count", look)
    assert notification_recall(notification_id=each, by=None).screens == 1


def test_nobody_waits_where_nobody_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "YOUNG", timedelta(days=1))  # a test that waits would not end
    assert notification_recall(notification_id=send(), by=None).screens == 0


def test_what_is_old_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with clock.shift(timedelta(days=-2)):
        each = send(ttl_s=15 * 86_400)
    connected(each)
    monkeypatch.setattr(recall, "YOUNG", timedelta(days=1))
    assert notification_recall(notification_id=each, by=None).screens == 0


def test_a_screen_that_never_got_it_is_waited_for_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recall, "YOUNG", timedelta(milliseconds=1))
    each = send()
    connected(each)
    assert notification_recall(notification_id=each, by=None).screens == 0
