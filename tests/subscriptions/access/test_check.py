"""A minute after the payment: who is not served hears that it comes, and somebody is alerted."""

from datetime import timedelta
from typing import Any

from jobs.testing import drain, job_perform
from lib import clock
from subscriptions.models import AccessGap, Activation, Subscriber
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import ends_of, paid, person_make, status_of, told

MINUTE = timedelta(seconds=61)
Alerts = list[dict[str, Any]]


def check(activation: Activation) -> str:
    outcome = job_perform("subscriptions.check_access", activation_id=activation.pk)
    found: dict[str, str] = getattr(outcome, "result")  # noqa: B009
    return found["found"]


def test_who_is_served_hears_nothing_more(panel: PanelHand, db: None, alerts: Alerts) -> None:
    paid(person_make(panel))
    drain()
    with clock.shift(MINUTE):
        drain()
    assert len(told()) == 1
    assert not AccessGap.objects.exists()
    assert alerts == []


def test_a_gap_that_is_over_is_closed_by_whoever_looks_next(panel: PanelHand, db: None) -> None:
    activation = paid(person_make(panel))
    drain()
    AccessGap.objects.create(payment_id=activation.payment_id, kind="short")
    assert check(activation) == "served"
    gap = AccessGap.objects.get()
    assert (gap.healed_at is not None, gap.ending) == (True, "itself")


def test_who_waits_for_a_minute_is_told_once_of_each(
    panel: PanelHand, db: None, alerts: Alerts
) -> None:
    person = person_make(panel)
    panel.fault(kind="down", for_s=60)
    activation = paid(person)
    drain()
    with clock.shift(MINUTE):
        drain()
        assert check(activation) == "waiting"
    [waiting] = told()
    assert [gap.kind for gap in AccessGap.objects.all()] == ["waiting"]
    assert [each["group"] for each in alerts if each["group"].startswith("access")] == [
        "access:late"
    ]
    panel.clear_faults()
    with clock.shift(timedelta(minutes=10)):
        drain()
        assert check(activation) == "served"
    assert len(told()) == 2
    assert told()[0] == waiting != told()[1]
    gap = AccessGap.objects.get()
    assert (gap.healed_at is not None, gap.ending) == (True, "itself")
    kinds = list(person.events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["paid", "told_waiting", "gap_found", "activated", "told_served", "gap_closed"]


def test_somebody_whom_the_sweep_cut_in_the_second_in_which_he_paid_comes_back(
    panel: PanelHand, db: None
) -> None:
    person = person_make(panel)
    activation = paid(person)
    drain()
    panel.operator(person.panel_id or 0, "disable")  # arrived after all that
    Subscriber.objects.filter(pk=person.pk).update(status="DISABLED", cut_by="sweep")
    assert check(activation) == "off"
    drain()
    assert status_of(panel, person) == "ACTIVE"
    assert not AccessGap.objects.filter(healed_at=None).exists()
    assert len(told()) == 1


def test_somebody_who_was_disabled_in_the_panel_afterwards_is_a_gap_and_stays(
    panel: PanelHand, db: None, alerts: Alerts
) -> None:
    person = person_make(panel)
    activation = paid(person)
    drain()
    panel.operator(person.panel_id or 0, "disable")
    assert check(activation) == "off"
    drain()
    assert status_of(panel, person) == "DISABLED"
    assert AccessGap.objects.get().healed_at is None
    assert alerts[-1]["group"] == "access:late"


def test_who_was_disabled_by_one_of_us_on_purpose_is_no_gap(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    activation = paid(person)
    drain()
    panel.operator(person.panel_id or 0, "disable")
    Subscriber.objects.filter(pk=person.pk).update(status="DISABLED", cut_by="operator")
    assert check(activation) == "served"


def test_a_panel_that_does_not_answer_proves_nothing(panel: PanelHand, db: None) -> None:
    activation = paid(person_make(panel))
    drain()
    panel.fault(kind="status", status=404, body="<html/>", times=1)
    assert check(activation) == "unknown"
    assert not AccessGap.objects.exists()


def test_who_is_gone_or_shortened_is_a_gap(panel: PanelHand, db: None) -> None:
    gone, short = person_make(panel), person_make(panel)
    first, second = paid(gone), paid(short)
    drain()
    panel.operator(gone.panel_id or 0, "delete")
    panel.change(short.panel_id or 0, expireAt=(clock.now() + timedelta(days=2)).isoformat())
    assert (check(first), check(second)) == ("gone", "short")
    assert ends_of(panel, short) < clock.now() + timedelta(days=3)


def test_who_used_up_his_traffic_since_is_served_as_he_paid(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    activation = paid(person)
    drain()
    panel.change(person.panel_id or 0, status="LIMITED")
    assert check(activation) == "served"
