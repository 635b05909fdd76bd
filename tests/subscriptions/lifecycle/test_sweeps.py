"""The brake: too large a set waits for a person, and the person decides about exactly that set."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from jobs.models import AuditEntry
from jobs.testing import assert_not_enqueued, drain, job_perform
from lib.ids import uuid7
from monitoring.alerts.models import Alert
from subscriptions.lifecycle.errors import SweepNotHeld, SweepNotRunning, SweepUnknown
from subscriptions.lifecycle.expired import EXPIRED, NAME
from subscriptions.lifecycle.progress import sweep_progress
from subscriptions.lifecycle.sweeps import (
    settings_change,
    sweep_approve,
    sweep_begin,
    sweep_refuse,
    sweep_stop,
)
from subscriptions.models import Subscriber, Sweep, SweepItem
from tests.subscriptions.lifecycle.people import People, subscriber_make

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUEUES = ["notifications"]


@pytest.fixture
def boss(account: Callable[..., User]) -> User:
    return account("boss")


def begin() -> Sweep:
    sweep = sweep_begin(EXPIRED)
    assert sweep is not None
    return sweep


def overdue(count: int, first: int = 0) -> list[Subscriber]:
    return [subscriber_make(number, -HOUR) for number in range(first, first + count)]


def served(count: int) -> None:
    for number in range(count):
        subscriber_make(10_000 + number, 30 * DAY)


def test_too_many_people_are_held_with_an_alert_and_a_sample(db: None) -> None:
    settings_change(name=NAME, by=None, most=24)
    overdue(25)
    sweep = begin()
    assert (sweep.state, sweep.found, len(sweep.sample)) == ("held", 25, 20)
    assert sweep.held_reason == "25 people are more than the limit of 24."
    assert sweep.sample[0]["username"] == "user_0"
    alert = Alert.objects.get()
    assert alert.severity == "critical"
    assert "user_0" in alert.text
    assert alert.link.endswith(f"{sweep.pk}/change/")
    assert_not_enqueued("subscriptions.run_sweep")


def test_too_large_a_share_is_held(db: None) -> None:
    overdue(20)
    served(100)
    sweep = begin()
    assert (sweep.state, sweep.served) == ("held", 120)
    assert "16.67 % of all 120" in sweep.held_reason


def test_much_more_than_usual_is_held(db: None) -> None:
    settings_change(name=NAME, by=None, share=100)
    for _ in range(3):
        Sweep.objects.create(name=NAME, state="done", found=7)
    overdue(22)
    sweep = begin()
    assert (sweep.state, sweep.usual) == ("held", 7)
    assert "3 times the usual 7" in sweep.held_reason


def test_a_few_people_are_not_held(db: None) -> None:
    overdue(3)
    assert begin().state == "running"


def test_a_held_run_waits_and_no_other_begins(db: None) -> None:
    settings_change(name=NAME, by=None, most=2)
    overdue(3)
    first = begin()
    overdue(5, first=100)
    again = begin()
    assert (again.pk, again.found) == (first.pk, 3)
    assert Sweep.objects.count() == 1


def test_an_approval_acts_on_exactly_the_approved_set_looked_at_again(
    people: People, boss: User
) -> None:
    settings_change(name=NAME, by=None, most=2)
    one, moved, gone = (people.make(-HOUR) for _ in range(3))
    sweep = begin()
    later = people.make(-2 * HOUR)  # came after the set was computed
    people.panel.change(moved.panel_id or 0, expireAt="2099-01-01T00:00:00Z")
    people.panel.operator(gone.panel_id or 0, "delete")
    sweep_approve(sweep_id=sweep.pk, by=boss)
    drain(queues=QUEUES)
    sweep.refresh_from_db()
    assert (sweep.state, sweep.done, sweep.skipped, sweep.decided_by) == ("done", 1, 2, "boss")
    assert people.status(one) == "DISABLED"
    assert people.status(moved) == people.status(later) == "ACTIVE"
    assert AuditEntry.objects.get(action="sweeps.approve").account_name == "boss"
    with pytest.raises(SweepNotHeld):
        sweep_approve(sweep_id=sweep.pk, by=boss)


def test_a_refusal_holds_for_later_runs_as_long_as_the_date_is_the_same(
    people: People, boss: User
) -> None:
    settings_change(name=NAME, by=None, most=1)
    rows = [people.make(-HOUR) for _ in range(2)]
    sweep = begin()
    sweep_refuse(sweep_id=sweep.pk, by=boss)
    sweep.refresh_from_db()
    assert (sweep.state, sweep.skipped) == ("refused", 2)
    assert sweep_begin(EXPIRED) is None
    assert {people.status(row) for row in rows} == {"ACTIVE"}
    Subscriber.objects.filter(pk=rows[0].pk).update(expire_at=rows[0].expire_at - DAY)
    assert begin().found == 1
    with pytest.raises(SweepNotHeld):
        sweep_refuse(sweep_id=sweep.pk, by=boss)


def test_a_sweep_that_observes_shows_and_does_nothing(people: People, boss: User) -> None:
    settings_change(name=NAME, by=boss, is_observing=True)
    row = people.make(-HOUR)
    job_perform("subscriptions.disable_expired")
    job_perform("subscriptions.disable_expired")
    drain(queues=QUEUES)
    assert people.status(row) == "ACTIVE"
    assert [sweep.state for sweep in Sweep.objects.all()] == ["observed", "observed"]
    assert SweepItem.objects.count() == 1  # of the last run only
    assert AuditEntry.objects.filter(action="sweeps.limits").count() == 1
    settings_change(name=NAME, by=boss, is_observing=False)
    job_perform("subscriptions.disable_expired")
    drain(queues=QUEUES)
    assert people.status(row) == "DISABLED"


def test_a_stop_begins_nobody_more(people: People, boss: User) -> None:
    rows = [people.make(-HOUR) for _ in range(3)]
    sweep = begin()
    job_perform("subscriptions.run_sweep", sweep_id=sweep.pk)
    job_perform(
        "subscriptions.cut_subscriber", item_id=SweepItem.objects.get(subscriber=rows[1]).pk
    )
    sweep_stop(sweep_id=sweep.pk, by=boss)
    drain(queues=QUEUES)
    sweep.refresh_from_db()
    assert (sweep.state, sweep.done, sweep.skipped) == ("stopped", 1, 2)
    assert [people.status(row) for row in rows] == ["ACTIVE", "DISABLED", "ACTIVE"]
    with pytest.raises(SweepNotRunning):
        sweep_stop(sweep_id=sweep.pk, by=boss)


def test_a_sweep_that_is_none_is_told(db: None, boss: User) -> None:
    for act in (sweep_approve, sweep_refuse, sweep_stop):
        with pytest.raises(SweepUnknown):
            act(sweep_id=uuid7(), by=boss)


def test_the_progress_page_adds_up(people: People) -> None:
    for _ in range(2):
        people.make(-HOUR)
    people.make(-HOUR, panel={"status": "EXPIRED"})
    sweep = begin()
    before = sweep_progress(sweep.pk)
    assert before is not None
    assert (before.total, before.settled, list(before.actions)) == (3, 0, ["stop"])
    drain(queues=QUEUES)
    after = sweep_progress(sweep.pk)
    assert after is not None
    assert (after.done, after.skipped, after.settled, after.stage) == (2, 1, 3, "over")
    assert [reason.text for reason in after.reasons] == ["The panel had expired it by itself."]
    assert sweep_progress(uuid7()) is None
