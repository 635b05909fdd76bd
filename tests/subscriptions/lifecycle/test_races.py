"""Two at the same moment: schedulers, senders, people at the console. Each with what it would be without."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from lib import clock
from notifications.telegram.models import QueuedMessage
from subscriptions.activation import begin as beginning
from subscriptions.lifecycle import dues, sweeps
from subscriptions.lifecycle.errors import SweepNotHeld
from subscriptions.lifecycle.expired import EXPIRED, NAME
from subscriptions.lifecycle.fates import item_begin, items_decide
from subscriptions.lifecycle.sending import notice_decide
from subscriptions.lifecycle.sight import Seen
from subscriptions.lifecycle.sweeps import (
    settings_change,
    sweep_approve,
    sweep_begin,
    sweep_stop,
)
from subscriptions.models import Notice, Sweep, SweepItem, SweepSettings
from tests.races.parties import parties
from tests.races.together import run_together
from tests.subscriptions.lifecycle.money import payment_make
from tests.subscriptions.lifecycle.people import subscriber_make
from tests.subscriptions.lifecycle.users import user_of

pytestmark = pytest.mark.usefixtures("committed")

HOUR = timedelta(hours=1)


def test_two_schedulers_begin_one_run() -> None:
    for number in range(3):
        subscriber_make(number, -HOUR)
    with parties() as begin:
        first = begin(lambda: sweep_begin(EXPIRED)).wait()
        second = begin(lambda: sweep_begin(EXPIRED))
        second.wait_blocked()
        found = [first.commit(), second.commit()]
    assert found[0].pk == found[1].pk
    assert (Sweep.objects.count(), SweepItem.objects.count()) == (1, 3)


def test_without_the_lock_the_second_scheduler_would_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    subscriber_make(1, -HOUR)
    SweepSettings.objects.create(name=NAME)
    monkeypatch.setattr(sweeps, "settings_lock", lambda name: SweepSettings.objects.get(pk=name))
    with parties() as begin:
        first = begin(lambda: sweep_begin(EXPIRED)).wait()
        second = begin(lambda: sweep_begin(EXPIRED))
        second.wait_blocked()
        first.commit()
        with pytest.raises(IntegrityError):
            second.commit()


@pytest.mark.parametrize("is_safe", [True, False], ids=["ours", "control"])
def test_two_reminder_runs_write_one_notice_each(
    monkeypatch: pytest.MonkeyPatch, is_safe: bool
) -> None:
    for number in range(3):
        subscriber_make(number, 23 * HOUR)
    if not is_safe:
        monkeypatch.setattr(dues, "_REMIND", dues._REMIND.replace("ON CONFLICT DO NOTHING", ""))
    with parties() as begin:
        first, second = begin(dues.reminders_write).wait(), begin(dues.reminders_write)
        second.wait_blocked()
        first.commit()
        if is_safe:
            second.commit()
        else:
            with pytest.raises(IntegrityError):
                second.commit()
    assert Notice.objects.count() == 3


def test_packs_are_handed_out_once_by_eight() -> None:
    for number in range(60):
        subscriber_make(number, 23 * HOUR)
    dues.reminders_write()
    assert sum(run_together([dues.packs_enqueue] * 8)) >= 2
    assert not Notice.objects.filter(job_id=None).exists()


def test_two_senders_of_one_notice_queue_one_message() -> None:
    row = subscriber_make(1, 23 * HOUR)
    dues.reminders_write()
    notice = Notice.objects.get()
    look = Seen(user_of(row), clock.now())
    assert run_together([lambda: notice_decide(notice.pk, look)] * 4) == ["queued"] * 4
    assert QueuedMessage.objects.count() == 1


def test_two_people_approve_once() -> None:
    settings_change(name=NAME, by=None, most=0)
    subscriber_make(1, -HOUR)
    sweep = sweep_begin(EXPIRED)
    assert sweep is not None
    with parties() as begin:
        first = begin(lambda: sweep_approve(sweep_id=sweep.pk, by=None)).wait()
        second = begin(lambda: sweep_approve(sweep_id=sweep.pk, by=None))
        second.wait_blocked()
        first.commit()
        with pytest.raises(SweepNotHeld):
            second.commit()


def test_a_stop_waits_for_who_is_just_begun_and_counts_everybody_once() -> None:
    for number in range(2):
        subscriber_make(number, -HOUR)
    sweep = sweep_begin(EXPIRED)
    assert sweep is not None
    begun, waiting = SweepItem.objects.order_by("id")
    with parties() as begin:
        first = begin(lambda: item_begin(sweep.pk, begun.pk)).wait()
        second = begin(lambda: sweep_stop(sweep_id=sweep.pk, by=None))
        second.wait_blocked()
        assert first.commit() is True
        second.commit()
    with transaction.atomic():
        assert item_begin(sweep.pk, waiting.pk) is False
        assert items_decide(sweep.pk, [begun.pk], "done", "cut") == 1
        assert items_decide(sweep.pk, [begun.pk, waiting.pk], "skipped", "gone") == 0
    sweep.refresh_from_db()
    assert (sweep.state, sweep.done, sweep.skipped) == ("stopped", 1, 1)


def test_eight_who_decide_the_last_ones_end_a_run_once() -> None:
    for number in range(8):
        subscriber_make(number, -HOUR)
    sweep = sweep_begin(EXPIRED)
    assert sweep is not None
    ids = list(SweepItem.objects.values_list("id", flat=True))

    def decide(pk: int) -> int:
        with transaction.atomic():
            return items_decide(sweep.pk, [pk], "done", "cut")

    assert run_together([partial(decide, pk) for pk in ids]) == [1] * 8
    sweep.refresh_from_db()
    assert (sweep.state, sweep.done) == ("done", 8)


@pytest.mark.parametrize("is_safe", [True, False], ids=["ours", "control"])
def test_a_reminder_waits_for_a_payment_that_is_just_being_written(
    monkeypatch: pytest.MonkeyPatch, is_safe: bool
) -> None:
    row = subscriber_make(1, 5 * HOUR)
    dues.reminders_write()
    notice, look = Notice.objects.get(), Seen(user_of(row), clock.now())
    payment = payment_make(row)
    if not is_safe:
        monkeypatch.setattr(beginning, "_lock", lambda subscriber_id: None)
    with parties() as begin:
        paying = begin(lambda: beginning.activation_begin(payment)).wait()
        deciding = begin(lambda: notice_decide(notice.pk, look))
        if is_safe:
            deciding.wait_blocked()
        else:
            deciding.wait()
        paying.commit()
        found = deciding.commit()
    assert found == (None if is_safe else "queued")
    assert QueuedMessage.objects.exists() != is_safe
