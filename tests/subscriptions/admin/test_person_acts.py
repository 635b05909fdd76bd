"""The buttons on the page of one subscriber: who may press them, and that they help."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, drain
from lib import clock
from notifications.telegram.models import QueuedMessage
from payments.models import Payment
from subscriptions.models import AccessGap
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.admin.ways import act, address, stuck, text_of
from tests.subscriptions.buyers import (
    ends_of,
    person_make,
    plan_make,
    row_make,
    status_of,
)


@pytest.mark.parametrize(
    "name", ["extend", "enable", "disable", "reset_traffic", "order", "message", "edit", "reread"]
)
def test_whoever_may_only_look_may_not_act(supporter: Client, name: str) -> None:
    row = row_make(1)
    answer = supporter.post(address(row, name), {"reason": "x", "days": "3", "text": "x"})
    assert answer.status_code == 403
    assert not AuditEntry.objects.exists()


def test_an_act_is_a_post(operator: Client) -> None:
    assert operator.get(address(row_make(1), "enable")).status_code == 405


@pytest.mark.parametrize("name", ["extend", "enable", "disable", "reset_traffic"])
def test_an_act_asks_why(operator: Client, name: str) -> None:
    assert "Refused: say why" in act(operator, row_make(1), name, days="3")


def test_extending_reaches_panel_story_and_audit(operator: Client, panel: PanelHand) -> None:
    row = person_make(panel)
    before = row.expire_at
    assert "is paid for until" in act(operator, row, "extend", days="7", reason="outage")
    assert ends_of(panel, row) == before + timedelta(days=7)
    entry = AuditEntry.objects.get(action="subscriber.extended")
    assert (entry.account_name, entry.changes["reason"]) == ("olga", "outage")
    text = text_of(operator, row)
    assert "Extended by 7 days" in text
    assert "outage" in text


@pytest.mark.parametrize("days", ["", "0", "x", "99999"])
def test_days_that_make_no_sense_are_refused(operator: Client, panel: PanelHand, days: str) -> None:
    assert "Refused" in act(operator, person_make(panel), "extend", days=days, reason="x")


def test_disabling_and_enabling_again(operator: Client, panel: PanelHand) -> None:
    row = person_make(panel)
    act(operator, row, "disable", reason="chargeback")
    assert status_of(panel, row) == "DISABLED"
    assert "Disabled by olga" in text_of(operator, row)
    act(operator, row, "enable", reason="cleared")
    assert status_of(panel, row) == "ACTIVE"


def test_a_panel_that_does_not_answer_is_said(operator: Client, panel: PanelHand) -> None:
    row = person_make(panel)
    panel.fault(kind="status", status=503, times=20)
    assert "Refused:" in act(operator, row, "reset_traffic", reason="x")


def test_an_invoice_is_ordered_and_its_link_can_be_copied(operator: Client) -> None:
    row = row_make(1, plan=plan_make())
    text = act(operator, row, "order", price="standard USDT")
    assert "is being made" in text
    payment = Payment.objects.get()
    assert (payment.subscriber_id, payment.created_by) == (row.pk, "olga")
    assert_enqueued("payments.make_invoice", payment_id=str(payment.pk))
    Payment.objects.update(
        state="pending", external_id="7", pay_url="https://pay.example/7", invoiced_at=clock.now()
    )
    assert 'data-copy="https://pay.example/7"' in text_of(operator, row)


def test_a_plan_without_a_price_is_refused(operator: Client) -> None:
    row = row_make(1, plan=plan_make())
    assert "Refused" in act(operator, row, "order", price="standard EUR")
    assert "Refused" in act(operator, row, "order", price="none USDT")


def test_a_message_is_queued_and_shown(operator: Client) -> None:
    row = row_make(1, telegram_id=42)
    act(operator, row, "message", text="Try again now, <please>.")
    message = QueuedMessage.objects.get()
    assert (message.telegram_id, message.message, message.parse_mode) == (
        42, "Try again now, <please>.", None,
    )  # fmt: skip
    assert AuditEntry.objects.filter(action="telegram.send", account_name="olga").exists()
    assert "Refused: write something" in act(operator, row, "message", text=" ")
    mute = row_make(2, telegram_id=None)
    assert "Refused: no Telegram account" in act(operator, mute, "message", text="x")


def test_what_is_ours_is_edited(operator: Client) -> None:
    plan, row = plan_make(), row_make(1)
    given = {
        "plan": plan.code, "auto_renew": "on", "renew_currency": "usdt", "language": "ru",
        "time_zone": "Asia/Tbilisi", "note": "VIP",
    }  # fmt: skip
    assert "Saved." in act(operator, row, "edit", **given)
    row.refresh_from_db()
    assert (row.plan, row.auto_renew, row.renew_currency, row.time_zone, row.note) == (
        plan, True, "USDT", "Asia/Tbilisi", "VIP",
    )  # fmt: skip
    assert "Refused: time_zone" in act(operator, row, "edit", **{**given, "time_zone": "Mars"})


def test_reading_from_the_panel_shows_what_is_so_now(operator: Client, panel: PanelHand) -> None:
    row = person_make(panel)
    assert "says the same" in act(operator, row, "reread")
    panel.change(row.panel_id or 0, tag="VIP")
    assert "said something else" in act(operator, row, "reread")
    row.refresh_from_db()
    assert row.tag == "VIP"


def test_who_is_gone_from_the_panel_is_found_out(operator: Client, panel: PanelHand) -> None:
    row = person_make(panel)
    panel.operator(row.panel_id or 0, "delete")
    act(operator, row, "reread")
    row.refresh_from_db()
    assert row.missing_since is not None


def test_devices_are_asked_for_only_on_demand(operator: Client, panel: PanelHand) -> None:
    row = person_make(panel)
    assert "ask the panel" in text_of(operator, row)
    assert "ask the panel" not in text_of(operator, row, "?devices=1")


def test_an_activation_is_tried_again(operator: Client, panel: PanelHand) -> None:
    row = person_make(panel, ends_in=timedelta(minutes=5))
    activation = stuck(row, state="failed", last_error="HTTP 500")
    url = reverse(
        "admin:subscriptions_subscriber_activation", args=[row.pk, activation.pk, "retry"]
    )
    assert url in text_of(operator, row)
    operator.post(url)
    drain()
    activation.refresh_from_db()
    assert activation.state == "applied"


def test_the_activation_of_somebody_else_is_refused(operator: Client) -> None:
    row, other = row_make(1, telegram_id=1), row_make(2, telegram_id=2)
    activation = stuck(other, state="failed")
    url = reverse(
        "admin:subscriptions_subscriber_activation", args=[row.pk, activation.pk, "retry"]
    )
    assert "Refused" in operator.post(url, follow=True).content.decode()
    activation.refresh_from_db()
    assert activation.state == "failed"


def test_heal_is_pressed_on_the_page_and_on_the_list(operator: Client, panel: PanelHand) -> None:
    row = person_make(panel, ends_in=timedelta(minutes=5))
    activation = stuck(row, state="failed", last_error="HTTP 500")
    gap = AccessGap.objects.create(payment=activation.payment, kind="failed")
    url = reverse("admin:subscriptions_accessgap_heal", args=[gap.pk])
    assert url in text_of(operator, row)
    assert "Try again: it runs." in operator.post(url, follow=True).content.decode()
    many = reverse("admin:subscriptions_accessgap_heal_many")
    assert (
        "1 are being healed" in operator.post(many, {"id": [gap.pk]}, follow=True).content.decode()
    )
    assert "tick at least one" in operator.post(many, follow=True).content.decode()
    drain()
    activation.refresh_from_db()
    assert activation.state == "applied"


def test_a_gap_is_put_away_with_a_reason(operator: Client, supporter: Client) -> None:
    activation = stuck(row_make(1), state="held")
    gap = AccessGap.objects.create(payment=activation.payment, kind="held")
    url = reverse("admin:subscriptions_accessgap_dismiss", args=[gap.pk])
    assert supporter.post(url, {"reason": "x"}).status_code == 403
    assert "Refused: say why" in operator.post(url, follow=True).content.decode()
    operator.post(url, {"reason": "money was given back"})
    gap.refresh_from_db()
    assert (gap.ending, gap.healed_by) == ("dismissed", "olga")
    closed = operator.get("/admin/subscriptions/accessgap/?which=closed").content.decode()
    assert "a person said that it is right as it is" in closed


def test_comparing_now_is_a_job(operator: Client) -> None:
    operator.post(reverse("admin:subscriptions_accessgap_compare"))
    assert_enqueued("payments.reconcile_access")
