"""An inbox is kept for as long as its person wishes, and forgotten everywhere after that."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_redis import get_redis_connection

from lib import clock
from notifications.inbox import keys, publisher, retention
from notifications.inbox.models import Notification, Outbox, Push, Recipient, State
from notifications.inbox.retention import BATCH, Trimmed, retention_trim
from notifications.inbox.stream import changes_since
from tests.notifications.inbox.lifecycle.play import (
    ALICE,
    BOB,
    after,
    counted,
    fresh,
    inboxes_check,
    person,
    quiet_now,
    read,
    send,
    send_to,
)

DAY = timedelta(days=1)
LONG_S = 15 * 86_400


def left() -> set[str]:
    return set(Notification.objects.values_list("message", flat=True))


@contextmanager
def days_ago(days: float) -> Iterator[None]:
    with clock.shift(-DAY * days):
        yield


def test_the_default_is_fifteen_days() -> None:
    read(send())
    with after(days=14, hours=23):
        assert retention_trim().notifications == 0
    with after(days=15, seconds=2):
        assert retention_trim().notifications == 1
    assert left() == set()


def test_who_keeps_less_loses_it_sooner() -> None:
    person(ALICE, retention_days=1)
    for each in send_to([ALICE, BOB]):
        read(each)
    with after(hours=23):
        assert retention_trim().notifications == 0
    with after(hours=25):
        assert retention_trim().notifications == 1
        assert retention_trim().notifications == 0
    assert Notification.objects.get().recipient.login == "bob"


def test_what_counts_is_when_it_came_not_when_it_was_read() -> None:
    recipient = person(retention_days=1)
    with days_ago(2):
        old = send("old", ttl_s=LONG_S)
    new = send("new")
    read(old)
    read_at = fresh(old).version
    assert retention_trim().notifications == 1
    assert left() == {"new"}
    recipient.refresh_from_db()
    assert recipient.trimmed_to == read_at  # a client that missed the read starts anew
    found = changes_since([(recipient.pk, fresh(new).version or 0)])[recipient.pk]
    assert not found.complete
    found = changes_since([(recipient.pk, recipient.last_position)])[recipient.pk]
    assert found.complete


def test_what_is_still_unread_is_cleared_first() -> None:
    person(retention_days=1)
    with days_ago(2):
        send(ttl_s=LONG_S)
    assert retention_trim().notifications == 1
    recipient = Recipient.objects.get()
    assert recipient.unread == 0
    assert recipient.trimmed_to == recipient.last_position
    assert counted() == {"sent": 1, "auto_cleared": 1}
    inboxes_check()


def test_what_was_never_shown_goes_as_well() -> None:
    person(muted_sources=["ads"])
    send(source="ads")
    with after(days=15, seconds=2):
        assert retention_trim().notifications == 1


def test_what_waits_for_quiet_hours_to_end_stays() -> None:
    quiet_now()
    each = send()
    with after(days=16):
        assert retention_trim().notifications == 0
    assert fresh(each).state == State.DEFERRED


def test_all_batches_go_in_one_run() -> None:
    count = BATCH + 3
    send_to([(n + 1, "somebody") for n in range(count)])
    with after(days=16):
        assert retention_trim().notifications == count


def test_a_person_with_much_is_trimmed_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "PEOPLE", 1)
    for target in (ALICE, BOB, (3, "carol")):
        person(target, retention_days=1)
        for _ in range(5):
            send(to=target)
    with after(days=2):
        assert retention_trim().notifications == 15
    inboxes_check()


def test_the_note_of_whom_it_reached_goes_with_it() -> None:
    old, new = send(), send(to=BOB)
    person(retention_days=1)
    for each in (old, new):
        Push.objects.create(notification_id=each, pod_id="p", at=clock.now(), devices=["d"])
    with after(days=2):
        retention_trim()
    assert Push.objects.get().notification_id == new


def test_notes_that_nobody_needs_go() -> None:
    Push.objects.create(
        notification_id=send(), pod_id="p", at=clock.now() - 17 * DAY, devices=["d"]
    )
    Outbox.objects.update(created_at=clock.now() - 2 * DAY)
    send()
    assert retention_trim() == Trimmed(0, 2)
    assert Outbox.objects.count() == 1


def test_the_window_in_redis_is_trimmed_too(clean_redis: None, transactional_db: None) -> None:
    person(retention_days=1)
    with days_ago(2):
        old = send("old", ttl_s=LONG_S)
        read(old)
    new = send("new")
    read(new)
    assert publisher.flush()
    redis = get_redis_connection("default")
    assert redis.xlen(keys.stream(*ALICE)) == 2
    retention_trim()
    ((_, entry),) = redis.xrange(keys.stream(*ALICE))
    assert entry == {b"nid": str(new).encode()}
    assert redis.hgetall(keys.read_state(*ALICE)) == {str(new).encode(): b"read"}
    assert not redis.exists(keys.payload(str(old)))
    assert redis.exists(keys.payload(str(new)))


def test_without_redis_the_rows_go_all_the_same(transactional_db: None, redis_away: None) -> None:
    read(send())
    with after(days=16):
        assert retention_trim().notifications == 1
    assert left() == set()


def test_the_cost_follows_what_is_due() -> None:
    send_to([(n + 1, "somebody") for n in range(20)])
    person(retention_days=2)
    with CaptureQueriesContext(connection) as found:
        retention_trim()
    # By age; two looks at those who keep less and one at what is theirs; two kinds of leftovers.
    assert len(found) == 6
