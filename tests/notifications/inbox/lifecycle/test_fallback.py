"""Unread for too long, it goes to Telegram: once, and never after it was read, taken back or expired."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.outcomes import Done, Snooze
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform
from lib import clock
from notifications.inbox import fallback
from notifications.inbox.expiry import notifications_expire
from notifications.inbox.fallback import TYPE, next_fallback_at, unread_tell
from notifications.inbox.recall import notification_recall
from notifications.telegram.models import QueuedMessage
from tests.notifications.inbox.lifecycle.play import (
    ALICE,
    BOB,
    after,
    counted,
    fresh,
    person,
    quiet_now,
    read,
    send,
    send_to,
)

KIND = "inbox.telegram_fallback"


@pytest.fixture(autouse=True)
def alice(db: None) -> None:
    person(telegram_id=500, fallback_after_s=30)


def queued() -> list[tuple[int, str]]:
    return list(QueuedMessage.objects.order_by("pk").values_list("telegram_id", "message"))


def test_unread_for_long_enough_it_goes_to_telegram() -> None:
    each = send("Your order <arrived>", priority=1, correlation_id="abc")
    job = assert_enqueued(KIND)
    assert timedelta(seconds=29) < job.run_at - clock.now() < timedelta(seconds=32)
    with after(seconds=29):
        assert unread_tell() == 0
    with after(seconds=32):
        drain(queues=["notifications"])
    (message,) = QueuedMessage.objects.all()
    assert message.telegram_id == 500
    assert message.message == "<b>shop</b>\n\nYour order &lt;arrived&gt;"
    assert (message.notification_type, message.parse_mode) == (TYPE, "HTML")
    assert (message.priority, message.correlation_id) == (1, "abc")
    row = fresh(each)
    assert (row.state, row.recipient.unread) == ("unread", 1)
    assert row.fell_back_at is not None
    assert counted() == {"sent": 1, "fallback": 1}


def test_it_goes_once() -> None:
    send()
    with after(seconds=31):
        assert [unread_tell(), unread_tell()] == [1, 0]
    assert len(queued()) == 1


def _read(each: UUID) -> None:
    read(each)


def _recall(each: UUID) -> None:
    notification_recall(notification_id=each, by=None)


def _expire(each: UUID) -> None:
    notifications_expire(notification_ids=[each], by=None)


@pytest.mark.parametrize("settle", [_read, _recall, _expire])
def test_what_is_settled_never_goes(settle: Callable[[UUID], None]) -> None:
    settle(send())
    with after(seconds=31):
        assert unread_tell() == 0
    assert queued() == []


def test_what_has_expired_and_is_not_cleared_yet_never_goes() -> None:
    send(ttl_s=31)
    with after(seconds=32):
        assert unread_tell() == 0
    assert queued() == []


def test_what_expires_first_never_goes() -> None:
    send(ttl_s=20)
    assert next_fallback_at() is None


def test_the_sender_may_ask_for_it_sooner() -> None:
    send(fallback_after_s=5)
    with after(seconds=6):
        assert unread_tell() == 1


def test_without_a_telegram_id_there_is_nobody_to_tell() -> None:
    each = send(to=BOB, fallback_after_s=5)
    with after(seconds=6):
        assert unread_tell() == 0
        assert next_fallback_at() is None
    assert fresh(each).fell_back_at is None
    assert queued() == []


def test_an_id_given_in_the_meantime_counts() -> None:
    send(to=BOB, fallback_after_s=5)
    person(BOB, telegram_id=600)
    with after(seconds=6):
        unread_tell()
    assert [chat for chat, _ in queued()] == [600]


def test_what_telegram_would_refuse_stops_no_other() -> None:
    blank = send("\u2800")
    send("Hello")
    with after(seconds=31):
        assert unread_tell() == 1
        assert next_fallback_at() is None
    assert [text for _, text in queued()] == ["<b>shop</b>\n\nHello"]
    assert fresh(blank).fell_back_at is None


def test_a_text_as_long_as_can_be_fits() -> None:
    send("<" * 4000, source="s" * 100)
    with after(seconds=31):
        assert unread_tell() == 1


def test_without_the_wish_nothing_is_planned() -> None:
    send(to=BOB)
    assert_not_enqueued(KIND)


def test_one_job_serves_all_of_one_moment() -> None:
    people = [(n + 10, "somebody") for n in range(30)]
    send_to(people, fallback_after_s=5)
    assert_enqueued(KIND)


def test_where_more_is_due_than_one_run_takes_the_job_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fallback, "BATCH", 1)
    for _ in range(51):
        send()
    with after(seconds=31):
        assert isinstance(job_perform(KIND), Snooze)
        assert job_perform(KIND) == Done({"told": 1})
    assert len(queued()) == 51


def test_in_quiet_hours_nothing_goes() -> None:
    quiet_now()
    send()
    with after(seconds=31):
        assert unread_tell() == 0


def test_the_cost_follows_what_is_due() -> None:
    send_to([ALICE])
    with CaptureQueriesContext(connection) as found:
        unread_tell()
    assert len(found) == 1
