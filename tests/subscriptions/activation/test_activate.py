"""Paid becomes served, once: the date is computed once, written as it is, read back, and told."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.models import JobRecord
from jobs.outcomes import Cancel, Done, Retry
from jobs.testing import assert_enqueued, drain, job_perform, jobs_of
from lib import clock
from notifications.telegram.models import QueuedMessage
from payments.services import payment_refund_note, payment_settle
from subscriptions.activation.begin import activation_begin
from subscriptions.models import Activation, Subscriber, SubscriberEvent
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import (
    CHAT,
    dates_written,
    ends_of,
    invoice_of,
    order_open,
    paid,
    pay,
    person_make,
    plan_make,
    status_of,
    told,
)

MONTH = timedelta(days=30)
KIND = "subscriptions.activate"


def story(subscriber: Subscriber) -> list[str]:
    rows = SubscriberEvent.objects.filter(subscriber=subscriber).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def test_who_pays_is_served_a_period_longer_and_told_once(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=3), plan=plan_make())
    before = person.expire_at
    activation = paid(person)
    drain()
    activation.refresh_from_db()
    person.refresh_from_db()
    assert activation.state == Activation.State.APPLIED
    assert activation.target_expire_at == before + MONTH
    assert ends_of(panel, person) == person.expire_at == before + MONTH
    assert len(told()) == 1
    assert f"{before + MONTH:%H:%M}" in told()[0]
    assert activation.told_at is not None
    assert story(person) == ["paid", "activated", "told_served"]


def test_nothing_but_the_date_is_written_for_who_renews(panel: PanelHand, db: None) -> None:
    plan = plan_make(traffic_limit_bytes=1000)
    person = person_make(panel, plan=plan, trafficLimitBytes=5000)  # somebody was generous
    paid(person, plan)
    drain()
    [write] = panel.writes(user_id=person.panel_id)
    assert set(write["body"]) == {"id", "expireAt"}


def test_a_time_that_is_over_begins_anew_with_the_payment(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=-9), status="EXPIRED")
    activation = paid(person)
    drain()
    activation.refresh_from_db()
    assert activation.payment.completed_at is not None
    assert activation.base_expire_at == activation.payment.completed_at
    assert status_of(panel, person) == "ACTIVE"
    [write] = panel.writes(user_id=person.panel_id)
    assert write["body"]["status"] == "ACTIVE"  # by one request, together with the date
    assert "expireAt" in write["body"]


def test_a_second_settling_begins_nothing(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    payment = order_open(person)
    activation = pay(payment)
    payment_settle(payment_id=payment.pk, invoice=invoice_of(payment), found_by="poll")
    again, is_new = activation_begin(payment)
    assert (again.pk, is_new) == (activation.pk, False)
    assert_enqueued(KIND, activation_id=activation.pk)


def test_running_it_again_changes_nothing(panel: PanelHand, db: None) -> None:
    activation = paid(person_make(panel))
    drain()
    writes = panel.writes()
    assert isinstance(job_perform(KIND, activation_id=activation.pk), Done)
    assert panel.writes() == writes
    assert len(told()) == 1


def test_two_payments_of_one_subscriber_add_up(panel: PanelHand, db: None) -> None:
    person = person_make(panel, ends_in=timedelta(days=2))
    before = person.expire_at
    paid(person)
    paid(person, plan_make("year", period_days=365))
    drain()
    assert ends_of(panel, person) == before + MONTH + timedelta(days=365)
    assert len(told()) == 2


def test_a_second_payment_adds_to_the_date_that_the_first_could_not_write_yet(
    panel: PanelHand, db: None
) -> None:
    person = person_make(panel, ends_in=timedelta(days=2))
    before = person.expire_at
    panel.fault(kind="status", status=503, method="users.update", times=1)
    first = paid(person)
    assert isinstance(job_perform(KIND, activation_id=first.pk), Retry)
    second = paid(person)
    assert isinstance(job_perform(KIND, activation_id=second.pk), Done)  # ahead of the first
    assert isinstance(job_perform(KIND, activation_id=first.pk), Done)
    assert ends_of(panel, person) == before + 2 * MONTH


def test_the_payments_of_one_subscriber_run_in_their_order(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    first, second = paid(person), paid(person)
    keys = {
        JobRecord.objects.get(pk=str(each.job_id)).partition_key
        for each in (Activation.objects.get(pk=first.pk), Activation.objects.get(pk=second.pk))
    }
    assert keys == {f"subscriber:{person.pk}"}


def test_an_end_that_lies_later_already_stays(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    activation = paid(person)
    panel.fault(kind="status", status=503, method="users.update", times=1)
    job_perform(KIND, activation_id=activation.pk)
    later = clock.now() + timedelta(days=400)
    panel.change(person.panel_id or 0, expireAt=later.isoformat())  # generous, meanwhile
    assert isinstance(job_perform(KIND, activation_id=activation.pk), Done)
    assert ends_of(panel, person) > clock.now() + timedelta(days=399)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "cut_before"},
        {"kind": "cut_after"},
        {"kind": "status", "status": 500, "record": True},
    ],
    ids=["503", "nothing arrived", "done, and no answer", "done, and 500"],
)
def test_a_panel_that_fails_once_leads_to_one_period(
    panel: PanelHand, db: None, fault: dict[str, Any]
) -> None:
    person = person_make(panel)
    before = person.expire_at
    panel.fault(method="users.update", times=1, **fault)
    activation = paid(person)
    assert isinstance(job_perform(KIND, activation_id=activation.pk), Retry)
    activation.refresh_from_db()
    assert activation.last_error
    assert isinstance(job_perform(KIND, activation_id=activation.pk), Done)
    assert ends_of(panel, person) == before + MONTH
    assert len(set(dates_written(panel))) == 1
    assert len(told()) == 1


def test_too_many_requests_put_it_off_unspent(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    panel.fault(kind="rate_limit", retry_after=7, method="users.update", times=1)
    activation = paid(person)
    drain()
    [job] = jobs_of(KIND)
    assert (job.state, job.attempt) == ("scheduled", 0)
    assert timedelta(seconds=5) < job.run_at - clock.now() < timedelta(seconds=9)
    activation.refresh_from_db()
    assert (activation.state, activation.attempts) == ("pending", 0)


def test_the_ladder_ends_with_a_critical_alert(
    panel: PanelHand, db: None, alerts: list[dict[str, Any]]
) -> None:
    person = person_make(panel)
    activation = paid(person)
    # An answer of the panel itself, or its breaker would put the job off, unspent.
    refusal = {"errorCode": "A039", "message": "Update user error"}
    panel.fault(kind="status", status=500, method="users.update", times=4, body=refusal)
    for after_s in (0, 40, 200, 1000):
        with clock.shift(timedelta(seconds=after_s)):
            drain(queues=["notifications"])
    activation.refresh_from_db()
    assert (activation.state, activation.reason) == ("failed", "away")
    assert [each["severity"] for each in alerts if each["group"] == "access:away"] == ["critical"]
    assert (
        jobs_of(KIND)[0].state == "cancelled"
    )  # what waits for a person is the page, not a dead job
    assert len(told()) == 1  # that it was paid, and that access comes later


def test_a_subscriber_who_is_gone_is_alerted_at_once(
    panel: PanelHand, db: None, alerts: list[dict[str, Any]]
) -> None:
    person = person_make(panel)
    panel.operator(person.panel_id or 0, "delete")
    activation = paid(person)
    assert isinstance(job_perform(KIND, activation_id=activation.pk), Cancel)
    activation.refresh_from_db()
    assert (activation.state, activation.reason) == ("failed", "missing")
    assert alerts[-1]["severity"] == "critical"
    assert str(activation.payment_id) in alerts[-1]["link"]


def test_a_404_of_somebody_in_between_is_no_proof(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    activation = paid(person)
    panel.fault(kind="status", status=404, body="<html>not here</html>", times=1)
    assert not isinstance(job_perform(KIND, activation_id=activation.pk), Cancel)
    activation.refresh_from_db()
    assert activation.state == "pending"


def test_somebody_whom_a_person_disabled_in_the_panel_stays_disabled(
    panel: PanelHand, db: None, alerts: list[dict[str, Any]]
) -> None:
    person = person_make(panel, status="DISABLED")
    activation = paid(person)
    drain()
    activation.refresh_from_db()
    assert activation.state == "held"
    assert panel.writes() == []
    assert [each["group"] for each in alerts] == ["access:held"]
    assert told() == []


@pytest.mark.parametrize("cut_by", ["sweep", "bulk"])
def test_whom_we_switched_off_comes_back_by_paying(panel: PanelHand, db: None, cut_by: str) -> None:
    person = person_make(panel, status="DISABLED", cut_by=cut_by, cut_reason="over")
    paid(person)
    drain()
    person.refresh_from_db()
    assert status_of(panel, person) == "ACTIVE"
    assert (person.cut_by, person.cut_reason) == ("", "")


def test_whom_an_operator_of_ours_switched_off_does_not(panel: PanelHand, db: None) -> None:
    person = person_make(panel, status="DISABLED", cut_by="operator", cut_reason="abuse")
    activation = paid(person)
    drain()
    activation.refresh_from_db()
    assert activation.state == "held"
    assert "abuse" in activation.last_error


def test_traffic_that_is_used_up_begins_anew(panel: PanelHand, db: None) -> None:
    plan = plan_make(traffic_limit_bytes=1000)
    person = person_make(
        panel, plan=plan, status="LIMITED", trafficLimitBytes=1000, usedTrafficBytes=1500
    )
    paid(person, plan)
    drain()
    panel.sweep()
    assert status_of(panel, person) == "ACTIVE"
    assert panel.user(person.panel_id or 0)["userTraffic"]["usedTrafficBytes"] == 0


def test_a_larger_plan_raises_the_limit_and_leaves_the_counter(panel: PanelHand, db: None) -> None:
    person = person_make(
        panel, plan=plan_make(), status="LIMITED", trafficLimitBytes=1000, usedTrafficBytes=1500
    )
    larger = plan_make("large", traffic_limit_bytes=9000, tag="LARGE", device_limit=5)
    paid(person, larger)
    drain()
    panel.sweep()
    user = panel.user(person.panel_id or 0)
    assert (user["status"], user["trafficLimitBytes"]) == ("ACTIVE", 9000)
    assert (user["tag"], user["hwidDeviceLimit"]) == ("LARGE", 5)
    assert user["userTraffic"]["usedTrafficBytes"] == 1500
    person.refresh_from_db()
    assert person.plan == larger


def test_a_period_that_would_be_over_before_the_panel_knew_begins_when_it_is_given(
    panel: PanelHand, db: None
) -> None:
    person = person_make(panel, ends_in=timedelta(days=-1), status="EXPIRED")
    day = plan_make("day", period_days=1)
    panel.fault(kind="status", status=503, method="users.update", times=1)
    activation = paid(person, day)
    job_perform(KIND, activation_id=activation.pk)
    with clock.shift(timedelta(days=2)):
        assert isinstance(job_perform(KIND, activation_id=activation.pk), Done)
        assert ends_of(panel, person) > clock.now() + timedelta(hours=23)


def test_who_has_no_chat_is_served_all_the_same(panel: PanelHand, db: None) -> None:
    person = person_make(panel, telegramId=None)
    activation = paid(person)
    drain()
    activation.refresh_from_db()
    assert activation.state == "applied"
    assert told() == []
    assert story(person)[-1] == "not_told"


def test_people_are_told_in_their_language(panel: PanelHand, db: None) -> None:
    paid(person_make(panel), language="ru")
    drain()
    assert "получен" in told()[0].lower()


def test_money_that_went_back_before_is_not_activated(panel: PanelHand, db: None) -> None:
    activation = paid(person_make(panel, status="DISABLED"))
    drain()
    payment_refund_note(payment_id=activation.payment_id, note="asked for", by=None)
    activation.refresh_from_db()
    assert activation.state == "failed"
    assert isinstance(job_perform(KIND, activation_id=activation.pk), Cancel)
    assert panel.writes() == []


def test_the_chat_of_the_payer_is_told(panel: PanelHand, db: None) -> None:
    paid(person_make(panel), telegram_id=CHAT + 5)
    drain()
    assert QueuedMessage.objects.get().telegram_id == CHAT + 5
