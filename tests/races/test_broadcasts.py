"""Broadcasts at the same moment: two schedulers, two deliverers, a cancel beside a batch."""

from datetime import timedelta

import pytest
from django.db import transaction

from jobs import sql
from jobs.models import Job
from jobs.testing import assert_enqueued, job_perform
from lib import clock
from notifications.broadcasts import delivery, starting, telegram_rows
from notifications.broadcasts.control import broadcast_cancel
from notifications.broadcasts.delivery import batch_deliver
from notifications.broadcasts.expansion import batch_expand
from notifications.broadcasts.holding import hold_shared
from notifications.broadcasts.models import Broadcast, LedgerRow, Status
from notifications.broadcasts.services import broadcast_send_now
from notifications.inbox.models import Notification
from tests.notifications.broadcasts.conftest import own_threads
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, people_make
from tests.races.parties import parties
from tests.races.together import run_together

__all__ = ["own_threads"]


def delivering(people: int) -> Broadcast:
    people_make(people)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    batch_expand(row.pk)
    return Broadcast.objects.get(pk=row.pk)


@pytest.mark.parametrize(("skips", "runs"), [(True, 1), (False, 2)], ids=["ours", "control"])
def test_two_schedulers_make_one_run(
    monkeypatch: pytest.MonkeyPatch, skips: bool, runs: int
) -> None:
    """The control starts what it has seen before, as a scheduler that reads and then writes does."""
    row = broadcast_make(scheduled_at=clock.now() - timedelta(minutes=1))
    if not skips:
        blind = f"""UPDATE notification_broadcasts b SET status = 'sending', phase = 'expanding',
            started_at = %(now)s FROM (SELECT %(limit)s) l WHERE b.id = '{row.pk}' RETURNING b.id"""
        monkeypatch.setattr(starting, "_START", blind)
    with parties() as begin:
        first, second = begin(starting.due_start).wait(), begin(starting.due_start)
        second.wait_blocked()
        started = [*first.commit(), *second.commit()]
    assert len(started) == runs


def test_one_that_is_held_is_tried_again_soon_and_not_at_once() -> None:
    row = broadcast_make(scheduled_at=clock.now() - timedelta(minutes=1))
    Job.objects.all().delete()
    with parties() as begin:
        holder = begin(lambda: Broadcast.objects.select_for_update().get(pk=row.pk)).wait()
        job_perform(starting.START)
        again = assert_enqueued(starting.START)
        assert timedelta(0) < again.run_at - again.created_at < timedelta(seconds=1)
        assert Broadcast.objects.get(pk=row.pk).status == Status.SCHEDULED
        holder.commit()
    job_perform(starting.START)
    assert Broadcast.objects.get(pk=row.pk).status == Status.SENDING


def test_what_is_scheduled_beside_a_sweep_keeps_its_moment() -> None:
    """The sweep does not see it yet, and asks for the later one at the same time."""
    soon, late = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
    broadcast_make(scheduled_at=late)
    with parties() as begin:
        scheduler = begin(lambda: broadcast_make(scheduled_at=soon)).wait()
        sweep = begin(lambda: job_perform(starting.START))
        sweep.wait_blocked()
        scheduler.commit()
        sweep.commit()
    assert assert_enqueued(starting.START).run_at == soon


def test_eight_deliverers_tell_everybody_once() -> None:
    row = delivering(400)

    def deliver() -> int:
        count = 0
        while told := batch_deliver(row.pk, batch=20):
            count += told
        return count

    assert sum(run_together([deliver] * 8)) == 400
    assert adds_up(row.pk).sent == 400
    assert Notification.objects.values("recipient_id").distinct().count() == 400
    assert Notification.objects.count() == 400


@pytest.mark.parametrize("is_held", [True, False], ids=["ours", "control"])
def test_a_cancel_waits_for_the_batch_that_has_begun_and_none_begins_after_it(
    monkeypatch: pytest.MonkeyPatch, is_held: bool
) -> None:
    """Without the hold the cancel is acknowledged while a batch is still to be committed."""
    row = delivering(30)
    if not is_held:
        monkeypatch.setattr(
            "notifications.broadcasts.control.broadcast_hold",
            lambda broadcast_id: Broadcast.objects.get(pk=broadcast_id),
        )

    def cancel() -> int:
        broadcast_cancel(broadcast_id=row.pk, by=None)
        return Notification.objects.count()

    def take_only() -> None:
        """The part of a batch that comes before it counts: the row of the broadcast is free yet."""
        if is_held:
            hold_shared(row.pk)
        sql.rows(delivery._TAKE.format(canary=""), {"id": row.pk, "batch": 10})

    with parties() as begin:
        batch = begin(take_only).wait()
        canceller = begin(cancel).wait_blocked()
        acknowledged_too_early = canceller.acted.is_set()
        batch.commit()
        canceller.commit()
    assert acknowledged_too_early is not is_held
    assert batch_deliver(row.pk) == 0
    assert Broadcast.objects.get(pk=row.pk).status == Status.CANCELLED


def test_a_late_answer_of_a_killed_run_says_what_became_of_it_but_takes_nothing_from_a_resend() -> (
    None
):
    people_make(2, telegram=True)
    row = broadcast_make(channels=["telegram"])
    broadcast_send_now(broadcast_id=row.pk, by=None)
    batch_expand(row.pk)
    run = row.pk
    _, claimed = telegram_rows.rows_claim(row.pk, run, 2)
    assert telegram_rows.rows_take_over() == 2
    assert adds_up(row.pk).unknown == 2
    first, second = claimed
    LedgerRow.objects.filter(pk=second.id).update(run_id=None)  # as a resend does
    late = [telegram_rows.Settled(row.pk, each.id, "sent", ref="7") for each in (first, second)]
    assert telegram_rows.rows_settle(run, late) == {first.id}
    assert (adds_up(row.pk).sent, adds_up(row.pk).unknown) == (1, 1)


def test_counting_at_the_same_moment_loses_nothing() -> None:
    row = delivering(1)

    def count() -> None:
        for _ in range(25):
            with transaction.atomic():
                sql.run(
                    "SELECT broadcast_count(%s, %s, %s, %s, %s, %s)",
                    [row.pk, ["inbox"], ["pending"], [""], [1], clock.now()],
                )

    run_together([count] * 4)
    assert Broadcast.objects.get(pk=row.pk).total == 101
