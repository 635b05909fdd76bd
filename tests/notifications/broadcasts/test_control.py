"""Schedule, pause, resume, cancel, and what each refuses."""

from datetime import timedelta

import pytest

from jobs.testing import assert_enqueued, drain
from lib import clock
from notifications.broadcasts.control import CLOSE
from notifications.broadcasts.delivery import batch_deliver
from notifications.broadcasts.errors import BroadcastChanged, BroadcastSettled, BroadcastUnknown
from notifications.broadcasts.expansion import batch_expand
from notifications.broadcasts.models import Broadcast, Phase, Status
from notifications.broadcasts.services import (
    broadcast_cancel,
    broadcast_clone,
    broadcast_edit,
    broadcast_pause,
    broadcast_resume,
    broadcast_schedule,
    broadcast_send_now,
)
from notifications.broadcasts.starting import due_start
from notifications.inbox.models import Notification
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, fates, people_make


def sending(people: int = 30) -> Broadcast:
    """One that is expanded and has told ten."""
    people_make(people)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    batch_expand(row.pk)
    batch_deliver(row.pk, batch=10)
    return Broadcast.objects.get(pk=row.pk)


def test_a_scheduled_broadcast_starts_when_its_time_comes() -> None:
    people_make(3)
    row = broadcast_make(scheduled_at=clock.now() + timedelta(hours=1))
    assert row.status == Status.SCHEDULED
    drain()
    assert Broadcast.objects.get(pk=row.pk).status == Status.SCHEDULED
    with clock.shift(timedelta(hours=1)):
        drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent) == (Status.SENT, 3)
    assert row.started_at is not None
    assert row.scheduled_at is not None
    assert row.started_at - row.scheduled_at < timedelta(seconds=60)


def test_a_time_that_is_over_means_now() -> None:
    people_make(1)
    row = broadcast_make(scheduled_at=clock.now() - timedelta(days=400))
    drain()
    assert adds_up(row.pk).status == Status.SENT


def test_one_that_was_taken_off_the_schedule_does_not_start() -> None:
    row = broadcast_make(scheduled_at=clock.now() + timedelta(minutes=1))
    broadcast_schedule(broadcast_id=row.pk, scheduled_at=None, by=None)
    with clock.shift(timedelta(hours=1)):
        drain()
    assert Broadcast.objects.get(pk=row.pk).status == Status.DRAFT


def test_due_broadcasts_start_once_and_no_more_than_the_limit() -> None:
    rows = [broadcast_make(scheduled_at=clock.now() - timedelta(minutes=n)) for n in (1, 3, 2)]
    assert due_start(limit=2) == [rows[1].pk, rows[2].pk]
    assert due_start(limit=2) == [rows[0].pk]
    assert due_start(limit=2) == []


def test_a_pause_holds_and_a_resume_reaches_the_rest_once() -> None:
    row = sending()
    broadcast_pause(broadcast_id=row.pk, by=None)
    assert batch_deliver(row.pk) == 0
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.open) == (Status.PAUSED, 10, 20)
    assert row.paused_reason == "paused by a person"

    broadcast_resume(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent) == (Status.SENT, 30)
    assert Notification.objects.values("recipient_id").distinct().count() == 30
    assert Notification.objects.count() == 30


def test_nobody_gets_it_after_a_cancel_while_it_is_sent() -> None:
    row = sending()
    broadcast_cancel(broadcast_id=row.pk, by=None)
    assert batch_deliver(row.pk) == 0
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.skipped, row.open) == (Status.CANCELLED, 10, 20, 0)
    assert fates(row.pk)["inbox", "skipped", "cancelled"] == 20
    assert Notification.objects.count() == 10


def test_nobody_gets_it_after_a_cancel_while_it_is_expanded() -> None:
    people_make(30)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    assert not batch_expand(row.pk, batch=20).is_last
    broadcast_cancel(broadcast_id=row.pk, by=None)
    assert batch_expand(row.pk).people == 0
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.total, row.skipped) == (Status.CANCELLED, 20, 20)
    assert not Notification.objects.exists()


def test_a_cancelled_draft_never_starts() -> None:
    row = broadcast_make(scheduled_at=clock.now() + timedelta(minutes=1))
    broadcast_cancel(broadcast_id=row.pk, by=None)
    with clock.shift(timedelta(hours=1)):
        drain()
    assert adds_up(row.pk).status == Status.CANCELLED


def test_acts_are_safe_to_repeat() -> None:
    row = sending()
    for _ in range(2):
        assert broadcast_send_now(broadcast_id=row.pk, by=None).status == Status.SENDING
    for _ in range(2):
        assert broadcast_pause(broadcast_id=row.pk, by=None).status == Status.PAUSED
    for _ in range(2):
        assert broadcast_resume(broadcast_id=row.pk, by=None).status == Status.SENDING
    for _ in range(2):
        assert broadcast_cancel(broadcast_id=row.pk, by=None).status == Status.CANCELLED
    assert_enqueued(CLOSE)


@pytest.mark.parametrize("act", [broadcast_pause, broadcast_resume])
def test_a_draft_can_be_neither_paused_nor_resumed(act: object) -> None:
    row = broadcast_make()
    with pytest.raises(BroadcastSettled, match="is draft"):
        act(broadcast_id=row.pk, by=None)  # type: ignore[operator]


@pytest.mark.parametrize(
    "act", [broadcast_pause, broadcast_resume, broadcast_cancel, broadcast_send_now]
)
def test_what_is_sent_is_over(act: object) -> None:
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    with pytest.raises(BroadcastSettled, match="is sent"):
        act(broadcast_id=row.pk, by=None)  # type: ignore[operator]


def test_an_unknown_broadcast_is_refused() -> None:
    gone = broadcast_make()
    gone_id = gone.pk
    gone.delete()
    with pytest.raises(BroadcastUnknown):
        broadcast_send_now(broadcast_id=gone_id, by=None)


def test_an_edit_that_has_seen_an_older_version_is_refused() -> None:
    row = broadcast_make()
    edited = broadcast_edit(broadcast_id=row.pk, version=1, title="Anew", by=None)
    assert (edited.title, edited.version) == ("Anew", 2)
    with pytest.raises(BroadcastChanged):
        broadcast_edit(broadcast_id=row.pk, version=1, title="Mine", by=None)


def test_a_broadcast_that_is_sent_cannot_be_edited_but_cloned() -> None:
    row = sending()
    with pytest.raises(BroadcastSettled, match="clone it"):
        broadcast_edit(broadcast_id=row.pk, title="Mine", by=None)
    clone = broadcast_clone(broadcast_id=row.pk, by=None)
    assert (clone.status, clone.phase, clone.total) == (Status.DRAFT, Phase.NONE, 0)
    assert (clone.title, clone.body, clone.audience, clone.cloned_from) == (
        row.title, row.body, row.audience, row.pk,
    )  # fmt: skip


def test_an_empty_audience_is_sent_to_nobody() -> None:
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.total) == (Status.SENT, 0)
