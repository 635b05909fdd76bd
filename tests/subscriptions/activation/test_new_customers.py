"""Who pays and is nobody yet becomes a user of the panel: one, whatever fails on the way."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.outcomes import Cancel, Done, Outcome
from jobs.testing import drain, job_perform
from lib import clock
from subscriptions.activation.creating import username_of
from subscriptions.models import Activation, Subscriber
from subscriptions.panel.errors import PanelWaits
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import CHAT, paid, person_make, plan_make, row_make, told

KIND = "subscriptions.activate"


def run(activation: Activation) -> Outcome | None:
    """One try; None: it was put off."""
    try:
        return job_perform(KIND, activation_id=activation.pk)
    except PanelWaits:
        return None


def test_a_new_customer_is_created_with_his_plan(panel: PanelHand, db: None) -> None:
    plan = plan_make(traffic_limit_bytes=5000, device_limit=3, tag="STD")
    activation = paid(None, plan)
    drain()
    activation.refresh_from_db()
    [user] = panel.users()
    assert user["username"].startswith(f"tg{CHAT}_")
    assert (user["trafficLimitBytes"], user["hwidDeviceLimit"], user["tag"]) == (5000, 3, "STD")
    assert user["telegramId"] == CHAT
    subscriber = Subscriber.objects.get()
    assert (subscriber.panel_id, subscriber.plan) == (user["id"], plan)
    assert subscriber.expire_at == activation.target_expire_at
    assert activation.subscriber == subscriber
    assert activation.payment.__class__.objects.get().subscriber_id == subscriber.pk
    kinds = list(subscriber.events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["created", "activated", "told_served"]
    assert len(told()) == 1


@pytest.mark.parametrize(
    "fault",
    [{"kind": "cut_after"}, {"kind": "cut_before"}, {"kind": "status", "status": 503}],
    ids=["made, and no answer", "nothing arrived", "503"],
)
def test_a_retry_finds_whom_the_first_try_made(
    panel: PanelHand, db: None, fault: dict[str, Any]
) -> None:
    activation = paid(None)
    panel.fault(method="users.create", times=1, **fault)
    run(activation)
    assert isinstance(run(activation), Done)
    assert len(panel.users()) == Subscriber.objects.count() == 1
    assert len(told()) == 1


def test_a_stranger_of_that_name_is_left_alone(
    panel: PanelHand, db: None, alerts: list[dict[str, Any]]
) -> None:
    activation = paid(None)
    stranger = panel.add(username=username_of(activation), expireInSeconds=60)
    assert isinstance(run(activation), Cancel)
    activation.refresh_from_db()
    assert (activation.state, activation.reason) == ("failed", "refused")
    assert panel.user(stranger["id"])["expireAt"] == stranger["expireAt"]
    assert alerts[-1]["severity"] == "critical"


def test_a_user_whom_the_mirror_met_first_is_taken_over(panel: PanelHand, db: None) -> None:
    activation = paid(None)
    panel.fault(kind="cut_after", method="users.create", times=1)
    run(activation)
    [user] = panel.users()
    met = row_make(user["id"], username=user["username"], telegram_id=CHAT)
    assert isinstance(run(activation), Done)
    activation.refresh_from_db()
    assert activation.subscriber == met
    assert met.events.filter(kind="bound").exists()


def test_two_new_customers_of_one_chat_are_two(panel: PanelHand, db: None) -> None:
    paid(None)
    paid(None)
    drain()
    assert len(panel.users()) == Subscriber.objects.count() == 2


def test_without_a_chat_the_name_is_that_of_the_order(panel: PanelHand, db: None) -> None:
    activation = paid(None, telegram_id=None)
    drain()
    [user] = panel.users()
    assert user["username"] == f"sb_{activation.payment_id.hex}"


def test_the_first_period_counts_from_the_payment(panel: PanelHand, db: None) -> None:
    activation = paid(None)
    with clock.shift(timedelta(hours=1)):
        drain()
    activation.refresh_from_db()
    completed_at = activation.payment.completed_at
    assert completed_at is not None
    assert activation.target_expire_at is not None
    assert activation.target_expire_at - completed_at - timedelta(days=30) < timedelta(seconds=1)


def test_a_name_of_the_panel_is_never_too_long(db: None) -> None:
    activation = paid(None, telegram_id=2**52)
    assert len(username_of(activation)) <= 36


def test_somebody_else_who_has_paid_too_is_not_touched(panel: PanelHand, db: None) -> None:
    other = person_make(panel)
    paid(None)
    drain()
    other.refresh_from_db()
    assert panel.writes(user_id=other.panel_id) == []
