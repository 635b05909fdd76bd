"""What came in quiet hours is shown when they end: once, in order, with its life before it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.outcomes import Done, Snooze
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform, jobs_of
from lib import clock
from notifications.inbox import quiet
from notifications.inbox.fallback import next_fallback_at
from notifications.inbox.models import Notification, State
from notifications.inbox.quiet import BATCH, deferred_release, next_release_at
from tests.notifications.inbox.lifecycle.play import (
    ALICE,
    BOB,
    after,
    counted,
    fresh,
    inboxes_check,
    noted,
    person,
    quiet_now,
    send,
    send_to,
    state,
)

KIND = "inbox.release_deferred"


def test_in_quiet_hours_it_waits_for_their_end() -> None:
    quiet_now()
    each = send()
    row = fresh(each)
    assert (row.state, row.position, row.version, row.expires_at) == ("deferred", None, None, None)
    assert row.deliver_at is not None
    assert row.deliver_at > clock.now()
    assert row.recipient.unread == 0
    assert noted() == set()
    assert counted() == {"deferred": 1}
    assert assert_enqueued(KIND).run_at == row.deliver_at


def test_what_is_critical_does_not_wait() -> None:
    quiet_now()
    assert state(send(priority=0)) == State.UNREAD
    assert_not_enqueued(KIND)


def test_it_is_shown_when_they_end() -> None:
    quiet_now()
    each = send(ttl_s=60)
    due_at = next_release_at()
    assert due_at is not None
    with clock.shift(due_at - clock.now() - timedelta(seconds=2)):
        assert drain() == 0
    with clock.shift(due_at - clock.now() + timedelta(seconds=1)):
        drain()
        row = fresh(each)
        assert row.state == State.UNREAD
        assert row.expires_at is not None
        assert timedelta(seconds=50) < row.expires_at - clock.now() <= timedelta(seconds=60)
    assert row.position == row.version == row.recipient.last_position
    assert row.recipient.unread == 1
    assert noted() == {(row.recipient_id, row.version)}
    assert counted() == {"deferred": 1, "sent": 1}
    inboxes_check()


def test_releasing_again_shows_nothing_again() -> None:
    quiet_now()
    send()
    with after(hours=3):
        assert [deferred_release(), deferred_release()] == [1, 0]
    assert counted()["sent"] == 1


def test_they_keep_the_order_in_which_they_came() -> None:
    quiet_now()
    ids = [send(str(n)) for n in range(5)]
    with after(hours=3):
        deferred_release()
    assert list(Notification.objects.order_by("position").values_list("pk", flat=True)) == ids
    inboxes_check()


def test_all_whose_quiet_hours_end_then_share_a_job() -> None:
    for target in (ALICE, BOB):
        quiet_now(target)
    send_to([ALICE, BOB])
    send_to([ALICE, BOB])
    assert len(jobs_of(KIND)) == 1
    with after(hours=3):
        drain()
    assert set(Notification.objects.values_list("state", flat=True)) == {State.UNREAD}
    inboxes_check()


def test_all_batches_are_shown_in_one_run() -> None:
    people = [(n + 1, "somebody") for n in range(BATCH + 5)]
    for target in people:
        quiet_now(target)
    send_to(people)
    with after(hours=3):
        assert deferred_release() == BATCH + 5
    inboxes_check()


def test_where_more_is_due_than_one_run_takes_the_job_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quiet, "BATCH", 1)
    people = [(n + 1, "somebody") for n in range(101)]
    for target in people:
        quiet_now(target)
    send_to(people)
    with after(hours=3):
        assert isinstance(job_perform(KIND), Snooze)
        assert job_perform(KIND) == Done({"shown": 1})
    inboxes_check()


def test_the_cost_follows_what_is_due() -> None:
    quiet_now()
    send()
    with CaptureQueriesContext(connection) as found:
        deferred_release()
    assert len(found) == 1


def test_what_was_muted_meanwhile_stays_away() -> None:
    quiet_now()
    muted, other = send(source="ads"), send(source="shop")
    person(muted_sources=["ads"])
    with after(hours=3):
        assert deferred_release() == 1
    assert (state(muted), state(other)) == (State.MUTED, State.UNREAD)
    assert counted() == {"deferred": 2, "muted": 1, "sent": 1}
    inboxes_check()


def test_it_takes_the_place_of_what_stands_under_its_key() -> None:
    older = send("one left", collapse_key="stock", ttl_s=86_400)
    other = send("hello", collapse_key="stock", source="another", ttl_s=86_400)
    quiet_now()
    newer = send("none left", collapse_key="stock")
    Notification.objects.filter(pk=older).update(state=State.UNREAD)
    with after(hours=3):
        deferred_release()
    assert (state(older), state(newer), state(other)) == ("replaced", "unread", "unread")


def test_the_way_to_telegram_begins_when_it_is_shown() -> None:
    quiet_now(telegram_id=500, fallback_after_s=30)
    each = send()
    with after(hours=3):
        assert next_fallback_at() is None
        deferred_release()
        shown_at = clock.now()
        due_at = next_fallback_at()
        assert due_at is not None
        assert timedelta(seconds=29) < due_at - shown_at < timedelta(seconds=31)
        job = assert_enqueued("inbox.telegram_fallback")
        assert due_at <= job.run_at <= due_at + timedelta(seconds=1)
    assert fresh(each).fell_back_at is None
