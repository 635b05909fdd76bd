"""Two who act on one notification at the same moment: one comes first, and both know who."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

import pytest

from notifications.inbox.changing import changed
from notifications.inbox.errors import NotificationSettled
from notifications.inbox.expiry import notifications_expire
from notifications.inbox.fallback import unread_tell
from notifications.inbox.models import State
from notifications.inbox.quiet import deferred_release
from notifications.inbox.recall import notification_recall, notification_update
from notifications.telegram.models import QueuedMessage
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
    state,
)
from tests.races.parties import parties, without
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])


def recall(each: UUID) -> str:
    return notification_recall(notification_id=each, by=None).state


def expire(each: UUID) -> set[UUID]:
    return notifications_expire(notification_ids=[each], by=None)


def test_what_is_being_read_is_not_taken_back() -> None:
    each = send()
    with parties() as begin:
        reading = begin(lambda: read(each)).wait()
        recalling = begin(lambda: recall(each)).wait_blocked()
        assert not recalling.acted.is_set()
        assert reading.commit() == "read"
        with pytest.raises(NotificationSettled, match="read already"):
            recalling.commit()
    assert counted() == {"sent": 1, "acked": 1}
    inboxes_check()


def test_what_is_being_taken_back_is_not_read() -> None:
    each = send()
    with parties() as begin:
        recalling = begin(lambda: recall(each)).wait()
        reading = begin(lambda: read(each)).wait_blocked()
        assert not reading.acted.is_set()
        assert recalling.commit() == "recalled"
        assert reading.commit() != "read"
    assert state(each) == State.RECALLED
    assert counted() == {"sent": 1, "recalled": 1}
    inboxes_check()


@BOTH
def test_what_is_being_read_does_not_expire(is_locked: bool) -> None:
    each = send()
    control = without("inbox_lock_of", "PERFORM inbox_lock", instead="PERFORM cardinality")
    with nullcontext() if is_locked else control, parties() as begin:
        reading = begin(lambda: read(each)).wait()
        expiring = begin(lambda: expire(each)).wait_blocked()
        assert reading.commit() == "read"
        assert bool(expiring.commit()) == (not is_locked)
    assert (fresh(each).recipient.unread == 0) == is_locked
    if is_locked:
        assert counted() == {"sent": 1, "acked": 1}
        inboxes_check()


def test_what_expires_while_it_is_read_is_read_in_the_end() -> None:
    each = send()
    with parties() as begin:
        expiring = begin(lambda: expire(each)).wait()
        reading = begin(lambda: read(each)).wait_blocked()
        assert expiring.commit() == {each}
        assert reading.commit() == "read"
    assert state(each) == State.READ
    assert fresh(each).recipient.unread == 0
    inboxes_check()


def test_a_new_text_that_comes_too_late_is_refused() -> None:
    each = send()
    with parties() as begin:
        recalling = begin(lambda: recall(each)).wait()
        update = begin(
            lambda: notification_update(notification_id=each, message="Other", by=None)
        ).wait_blocked()
        recalling.commit()
        with pytest.raises(NotificationSettled, match="taken back"):
            update.commit()
    assert fresh(each).edition == 1


def telegram() -> int:
    return QueuedMessage.objects.count()


@pytest.mark.parametrize("settle", [read, recall, expire])
def test_what_is_being_settled_does_not_go_to_telegram(settle: Any) -> None:
    person(telegram_id=500, fallback_after_s=5)
    each = send()
    with after(seconds=6), parties() as begin:
        settling = begin(lambda: settle(each)).wait()
        telling = begin(unread_tell).wait()  # it does not wait, and comes again later
        settling.commit()
        assert telling.commit() == 0
        assert unread_tell() == 0
    assert telegram() == 0
    assert fresh(each).fell_back_at is None


def test_if_the_read_is_rolled_back_it_goes_later() -> None:
    person(telegram_id=500, fallback_after_s=5)
    each = send()

    def undone() -> None:
        read(each)
        raise LookupError

    with after(seconds=6), parties() as begin:
        with pytest.raises(LookupError):
            begin(undone).wait().commit()
        assert unread_tell() == 1


def test_a_read_waits_for_the_way_to_telegram() -> None:
    person(telegram_id=500, fallback_after_s=5)
    each = send()
    with after(seconds=6), parties() as begin:
        telling = begin(unread_tell).wait()
        reading = begin(lambda: read(each)).wait_blocked()
        assert not reading.acted.is_set()
        assert telling.commit() == 1
        assert reading.commit() == "read"
    assert telegram() == 1
    row = fresh(each)
    assert row.fell_back_at is not None
    assert row.read_at is not None


def test_two_who_tell_tell_once() -> None:
    person(telegram_id=500, fallback_after_s=5)
    for _ in range(5):
        send()
    with after(seconds=6):
        assert sum(run_together([unread_tell] * 4)) == 5
    assert telegram() == 5


def test_two_who_release_show_once() -> None:
    quiet_now()
    for _ in range(5):
        send()
    with after(hours=3):
        assert sum(run_together([deferred_release] * 4)) == 5
    assert counted() == {"deferred": 5, "sent": 5}
    inboxes_check()


def test_nobody_waits_in_a_ring() -> None:
    """Everybody acts on the same people, each in another order of notifications."""
    people = [ALICE, BOB, *((n, "somebody") for n in range(3, 9))]
    ids = [send_to(people, str(n), ttl_s=86_400) for n in range(6)]
    mixed = [each for group in ids for each in group]

    def close(part: list[UUID], end: str) -> int:
        return len(changed("inbox_close(%s, %s, interval '0')", [part, end]))

    def send_more() -> int:
        return len(send_to(people[::-1], "more"))

    done = run_together(
        [
            lambda: close(mixed[:16], "recalled"),
            lambda: close(mixed[:16][::-1], "auto_cleared"),
            lambda: close(mixed[8:32][::-1], "replaced"),
            lambda: sum(read(each) == "read" for each in mixed[32:]),
            send_more,
            send_more,
        ]
    )
    assert sum(done[:3]) == 32
    assert done[3:] == [16, 8, 8]
    inboxes_check()
