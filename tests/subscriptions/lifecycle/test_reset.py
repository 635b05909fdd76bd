"""The monthly reset: only whom the panel never resets and whose plan says so, once a month, read back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.outcomes import Done
from jobs.registry import kind_get
from jobs.testing import drain, job_perform
from lib import clock
from notifications.telegram.models import QueuedMessage
from subscriptions.lifecycle import resetting
from subscriptions.lifecycle.errors import SweepAlreadyRan
from subscriptions.lifecycle.starting import sweep_run_now
from subscriptions.lifecycle.sweeps import settings_change, sweep_stop
from subscriptions.models import Subscriber, SubscriberEvent, Sweep, SweepItem
from subscriptions.panel import door
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.lifecycle.people import People, plan_make

DAY = timedelta(days=1)
GIB = 1024**3


def reset(rounds: int = 4) -> dict[str, Any]:
    """The job of the 1st, and what follows while the panel works its queue off."""
    outcome = job_perform("subscriptions.reset_traffic")
    assert isinstance(outcome, Done)
    for seconds in range(rounds):
        with clock.shift(timedelta(seconds=5 * seconds)):
            drain(queues=["notifications"])
    found: dict[str, Any] = outcome.result
    return found


def used(people: People, row: Subscriber) -> int:
    return int(people.panel.user(row.panel_id or 0)["userTraffic"]["usedTrafficBytes"])


def customer(people: People, **mirror: Any) -> Subscriber:
    panel = {"usedTrafficBytes": 5 * GIB, **mirror.pop("panel", {})}
    return people.make(
        20 * DAY, panel=panel, **{"plan": plan_make(), "used_traffic_bytes": 5 * GIB, **mirror}
    )


def test_it_runs_on_the_first_at_midnight_utc() -> None:
    periodic = kind_get("subscriptions.reset_traffic").periodic
    assert periodic is not None
    assert periodic.cron == "0 0 1 * *"


def test_only_those_whose_panel_never_resets_and_whose_plan_says_so(people: People) -> None:
    ours = customer(people)
    limited = customer(people, status="LIMITED")
    others = [
        customer(
            people,
            traffic_limit_strategy="MONTH",
            panel={"trafficLimitStrategy": "MONTH"},
        ),
        customer(people, plan=None),
        customer(people, plan=plan_make("pack", resets_traffic=False)),
        customer(people, status="EXPIRED"),
        customer(people, status="DISABLED"),
    ]
    assert reset()["found"] == 2
    assert [used(people, row) for row in (ours, limited)] == [0, 0]
    assert [used(people, row) for row in others] == [5 * GIB] * len(others)
    assert people.status(limited) == "ACTIVE"
    assert {
        event.subscriber_id for event in SubscriberEvent.objects.filter(kind="traffic_reset")
    } == {
        ours.pk,
        limited.pk,
    }
    ours.refresh_from_db()
    assert ours.used_traffic_bytes == 0


def test_each_person_is_told_once_whatever_the_number_of_subscriptions(people: People) -> None:
    for _ in range(3):
        customer(people, telegram_id=77, language="ru", traffic_limit_bytes=100 * GIB)
    customer(people, telegram_id=None)
    reset()
    message = QueuedMessage.objects.get()
    assert (message.telegram_id, message.notification_type) == (77, "traffic_reset")
    assert message.priority == 3
    run = Sweep.objects.get()
    assert (run.state, run.found, run.done) == ("done", 4, 4)


def test_packs_go_out_one_by_one(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resetting, "PACK", 2)
    for _ in range(5):
        customer(people)
    reset()
    calls = people.panel.writes(call="users.bulk.reset-traffic")
    assert [len(call["user_ids"]) for call in calls] == [2, 2, 1]
    assert Sweep.objects.get().done == 5


def test_not_twice_in_a_month_whoever_runs_it(people: People) -> None:
    customer(people)
    reset()
    assert reset().get("already")
    with pytest.raises(SweepAlreadyRan):
        sweep_run_now(name=resetting.NAME, by=None)
    assert len(people.panel.writes(call="users.bulk.reset-traffic")) == 1
    assert QueuedMessage.objects.count() == 1


def test_observing_does_not_use_up_the_month(people: People) -> None:
    customer(people)
    settings_change(name=resetting.NAME, by=None, is_observing=True)
    reset()
    assert (Sweep.objects.get().state, people.panel.writes()) == ("observed", [])
    settings_change(name=resetting.NAME, by=None, is_observing=False)
    reset()
    assert Sweep.objects.filter(state="done", done=1).exists()


def test_one_that_was_stopped_can_be_begun_again_for_the_rest(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resetting, "PACK", 1)
    rows = [customer(people) for _ in range(3)]
    job_perform("subscriptions.reset_traffic")
    sweep = Sweep.objects.get()
    client = door.panel_background()
    resetting._ask(client, sweep, resetting._next_pack(sweep))  # the first pack has gone out
    sweep_stop(sweep_id=sweep.pk, by=None)
    drain(queues=["notifications"])
    sweep.refresh_from_db()
    assert (sweep.state, sweep.done, sweep.skipped) == ("stopped", 1, 2)
    assert reset()["found"] == 2
    assert [used(people, row) for row in rows] == [0, 0, 0]
    assert len(people.panel.writes()) == 3


def test_the_next_month_is_another_one(people: People) -> None:
    row = customer(people)
    reset()
    people.panel.change(row.panel_id or 0, usedTrafficBytes=GIB)
    with clock.shift(40 * DAY):
        Subscriber.objects.update(expire_at=clock.now() + 20 * DAY)
        assert not reset().get("already")
    assert Sweep.objects.count() == 2


def test_who_was_reset_this_month_already_is_left_out(people: People) -> None:
    start = resetting.month_start(clock.now())
    customer(people, last_traffic_reset_at=start + timedelta(seconds=1))
    assert reset()["found"] == 0
    assert Sweep.objects.get().state == "done"


def test_what_the_panel_swallows_is_asked_for_again_and_then_said(
    people: People, panel_on: Sandbox
) -> None:
    """202 proves nothing (contract, section 4)."""
    good, bad = customer(people), customer(people)
    panel_on.panel.settings(bulk_fail_ids=[bad.panel_id])
    reset()
    assert dict(SweepItem.objects.values_list("subscriber_id", "fate")) == {
        good.pk: "done",
        bad.pk: "",
    }
    for minutes in (3, 4, 6, 7):
        with clock.shift(timedelta(minutes=minutes)):
            drain(queues=["notifications"])
    item = SweepItem.objects.get(subscriber=bad)
    assert (item.fate, item.reason) == ("failed", "not_confirmed")
    assert Sweep.objects.get().state == "done"
    assert QueuedMessage.objects.count() == 1


def test_a_run_that_was_killed_after_the_call_reads_back_and_asks_nobody_twice(
    people: People,
) -> None:
    row = customer(people)
    job_perform("subscriptions.reset_traffic")
    people.panel.operator(row.panel_id or 0, "reset-traffic")  # the call had gone out
    SweepItem.objects.update(reason="asked", at=clock.now())  # and this was all that was written
    drain(queues=["notifications"])
    assert people.panel.writes() == []
    assert SweepItem.objects.get().fate == "done"


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_call_whose_end_is_not_known_is_found_out_by_reading_back(
    people: People, panel_on: Sandbox, kind: str
) -> None:
    row = customer(people)
    panel_on.panel.fault(method="users.bulk.reset-traffic", kind=kind, times=1)
    reset()
    for minutes in (2, 3, 4, 5):
        with clock.shift(timedelta(minutes=minutes)):
            drain(queues=["notifications"])
    assert SweepItem.objects.get().fate == "done"
    assert used(people, row) == 0
    assert QueuedMessage.objects.count() == 1


def test_a_call_that_was_not_made_is_made_by_the_ladder(people: People, panel_on: Sandbox) -> None:
    customer(people)
    panel_on.panel.fault(method="users.bulk.reset-traffic", kind="status", status=503, times=1)
    reset()
    assert set(SweepItem.objects.values_list("reason", "at")) == {("", None)}
    with clock.shift(timedelta(seconds=70)):
        drain(queues=["notifications"])
    with clock.shift(timedelta(seconds=80)):
        drain(queues=["notifications"])
    assert SweepItem.objects.get().fate == "done"


def test_a_name_under_another_number_is_left_for_the_mirror(people: People) -> None:
    row = customer(people)
    job_perform("subscriptions.reset_traffic")
    people.panel.operator(row.panel_id or 0, "delete")
    people.panel.add(username=row.username, expireAt="2099-01-01T00:00:00Z")
    drain(queues=["notifications"])
    assert SweepItem.objects.get().fate == "unknown"
    row.refresh_from_db()
    assert row.missing_since is None


def test_nobody_is_reset_under_the_number_of_another(people: People) -> None:
    ours, other, third = customer(people), customer(people), customer(people)
    number = other.panel_id
    other.delete()
    Subscriber.objects.filter(pk=ours.pk).update(panel_id=number)  # the panel is back from a backup
    ours.refresh_from_db()
    reset()
    assert [used(people, row) for row in (ours, third)] == [5 * GIB, 0]
    item = SweepItem.objects.get(subscriber=ours)
    assert (item.fate, item.reason) == ("unknown", "other_person")


def test_who_is_gone_is_skipped(people: People) -> None:
    row = customer(people)
    job_perform("subscriptions.reset_traffic")
    people.panel.operator(row.panel_id or 0, "delete")
    drain(queues=["notifications"])
    assert SweepItem.objects.get().reason == "gone"


def test_months_begin_at_midnight_utc_wherever_the_machine_stands(zone: str) -> None:
    moment = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)
    assert resetting.month_key(moment.astimezone()) == "2026-12"
    assert resetting.month_start(moment.astimezone()) == datetime(2026, 12, 1, tzinfo=UTC)
    assert resetting.month_key(moment - timedelta(seconds=2)) == "2026-11"
