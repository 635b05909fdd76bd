"""Provider, ledger and panel are compared: what differs is a gap, what is over closes, unknown is neither."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from jobs.models import Job
from jobs.testing import drain, job_perform
from lib import clock
from payments.models import Payment, Review, State
from payments.services import order_create, payment_refund_note, review_resolve
from subscriptions.access.gaps import Found, GapKind, gaps_open
from subscriptions.access.selectors import access_summary, gap_lines, gaps_query
from subscriptions.models import AccessCheck, AccessGap, Activation, Subscriber
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.access.ways import compare, jobs_lose, open_kinds, served
from tests.subscriptions.buyers import (
    CHAT,
    order_open,
    paid,
    person_make,
    plan_make,
    status_of,
    told,
)

Alerts = list[dict[str, Any]]
LATER = timedelta(minutes=6)


def test_where_all_agree_there_is_no_gap(panel: PanelHand, db: None) -> None:
    served(panel)
    with clock.shift(LATER):
        assert compare() == {"opened": 0, "closed": 0, "mended": 0, "resumed": 0, "unknown": 0}
    check = AccessCheck.objects.get()
    assert (check.opened, check.panel_asked) == (0, 0)  # the mirror agrees: nobody is asked


def test_a_payment_that_the_ledger_missed_is_found_and_settled(
    panel: PanelHand, provider: Sandbox, db: None
) -> None:
    person = person_make(panel)
    plan = plan_make()
    payment = order_create(
        subscriber_id=person.pk, telegram_id=CHAT, language="en", plan_code=plan.code,
        plan_title=plan.title, period_days=30, currency_type="crypto", currency="USDT",
        amount=plan.prices.get().amount,
    )  # fmt: skip
    drain()
    payment.refresh_from_db()
    provider.pay.pay(int(payment.external_id or 0), silent=True)
    with clock.shift(LATER):
        found = compare()
        assert (found["opened"], found["mended"]) == (1, 1)
        drain()
        assert Activation.objects.get().state == "applied"
        compare()
    assert open_kinds() == []
    assert [gap.kind for gap in AccessGap.objects.all()] == ["ledger_behind"]
    assert Payment.objects.get().found_by == "poll"  # nobody had asked
    assert status_of(panel, person) == "ACTIVE"
    assert len(told()) == 1


def test_what_a_person_is_asked_about_already_is_no_gap(
    panel: PanelHand, provider: Sandbox, db: None
) -> None:
    person, plan = person_make(panel), plan_make()
    payment = order_create(
        subscriber_id=person.pk, telegram_id=CHAT, language="en", plan_code=plan.code,
        plan_title=plan.title, period_days=30, currency_type="crypto", currency="USDT",
        amount=plan.prices.get().amount,
    )  # fmt: skip
    drain()
    payment.refresh_from_db()
    provider.pay.pay(int(payment.external_id or 0), silent=True)
    Review.objects.create(payment=payment, key="k", reason="under")
    with clock.shift(LATER):
        assert compare()["opened"] == 0


def test_a_provider_that_does_not_answer_neither_opens_nor_closes(
    panel: PanelHand, provider: Sandbox, db: None
) -> None:
    payment = order_open(person_make(panel))
    gaps_open([Found(payment.pk, GapKind.LEDGER_BEHIND)])
    provider.fault(service="cryptopay", kind="status", status=500, times=5)
    with clock.shift(LATER):
        assert compare()["unknown"] == 1
    assert open_kinds() == ["ledger_behind"]


def test_money_without_an_activation_is_activated(panel: PanelHand, db: None) -> None:
    _, activation = served(panel)
    jobs_lose()
    payment = activation.payment
    activation.delete()
    with clock.shift(LATER):
        assert compare()["mended"] == 1
        assert open_kinds() == ["no_activation"]
        drain()
        compare()
    assert open_kinds() == []
    assert Activation.objects.get().payment == payment


def test_an_activation_whose_job_was_lost_is_resumed(panel: PanelHand, db: None) -> None:
    activation = paid(person_make(panel))
    jobs_lose()
    with clock.shift(LATER):
        assert compare()["resumed"] == 1
        drain()
    activation.refresh_from_db()
    assert activation.state == "applied"


def test_what_failed_while_the_panel_was_away_is_resumed_when_it_is_back(
    panel: PanelHand, db: None, alerts: Alerts
) -> None:
    activation = paid(person_make(panel))
    jobs_lose()
    Activation.objects.update(state="failed", reason="away", last_error="503")
    with clock.shift(LATER):
        compare()
        assert open_kinds() == ["failed"]
        drain()
        activation.refresh_from_db()
        assert activation.state == "applied"
    assert [each["severity"] for each in alerts] == ["critical"]


@pytest.mark.parametrize("reason", ["missing", "refused", "internal"])
def test_what_needs_a_person_is_not_resumed(panel: PanelHand, db: None, reason: str) -> None:
    paid(person_make(panel))
    jobs_lose()
    Activation.objects.update(state="failed", reason=reason)
    with clock.shift(LATER):
        assert compare()["resumed"] == 0
        assert open_kinds() == ["failed"]


def test_a_hold_ends_when_somebody_enables_him_in_the_panel(panel: PanelHand, db: None) -> None:
    person = person_make(panel, status="DISABLED")
    paid(person)
    drain()
    panel.operator(person.panel_id or 0, "enable")
    Subscriber.objects.update(status="ACTIVE")  # as the mirror tells
    with clock.shift(LATER):
        assert compare()["resumed"] == 1
        drain()
    assert Activation.objects.get().state == "applied"


def test_the_panel_is_asked_where_the_mirror_sees_it_otherwise(
    panel: PanelHand, db: None, alerts: Alerts
) -> None:
    person, _ = served(panel)
    panel.change(person.panel_id or 0, expireAt=(clock.now() + timedelta(days=1)).isoformat())
    Subscriber.objects.update(expire_at=clock.now() + timedelta(days=1))
    assert compare()["opened"] == 1
    assert open_kinds() == ["short"]
    assert compare()["opened"] == 0
    [line] = gap_lines(list(gaps_query()))
    assert (line.username, line.provider, line.remedy) == (
        person.username, "paid", "Write the paid date again",
    )  # fmt: skip
    assert "served until" in line.ledger
    assert "ACTIVE, until" in line.panel
    assert [each["severity"] for each in alerts] == ["critical"]
    panel.fault(kind="status", status=503, times=1)
    assert compare()["unknown"] == 1
    assert open_kinds() == ["short"]  # no answer closes nothing


def test_a_mirror_that_is_wrong_opens_nothing(panel: PanelHand, db: None) -> None:
    served(panel)
    Subscriber.objects.update(expire_at=clock.now())
    assert compare()["opened"] == 0


def test_money_that_went_back_is_no_gap(panel: PanelHand, db: None) -> None:
    _, activation = served(panel)
    Subscriber.objects.update(expire_at=clock.now())
    payment_refund_note(payment_id=activation.payment_id, note="asked for it", by=None)
    with clock.shift(LATER):
        assert compare()["opened"] == 0


def test_what_waits_for_longer_than_the_ladder_is_critical_once(
    panel: PanelHand, db: None, alerts: Alerts
) -> None:
    paid(person_make(panel))
    with clock.shift(LATER):
        compare()
    with clock.shift(timedelta(minutes=30)):
        compare()
        compare()
    assert [each["group"] for each in alerts].count("access:waiting") == 1


def test_the_head_of_the_page_tells_how_it_stands(panel: PanelHand, db: None) -> None:
    served(panel)
    paid(person_make(panel))
    summary = access_summary()
    assert (summary.served, summary.on_the_way, summary.unserved) == (1, 1, 0)
    assert summary.p95_s is not None
    assert summary.p95_s >= 0
    assert summary.checked_at is None
    with clock.shift(LATER):
        compare()
        summary = access_summary()
    assert summary.open_by_kind == {"waiting": 1}
    assert summary.checked_at is not None
    assert (summary.unserved, summary.held) == (1, 0)
    later = replace(summary, open_by_kind={"waiting": 1, "held": 2})
    assert (later.unserved, later.held) == (1, 2)


def test_money_that_a_person_did_not_take_is_no_gap_and_is_not_asked_about_for_ever(
    panel: PanelHand, provider: Sandbox, db: None
) -> None:
    person, plan = person_make(panel), plan_make()
    payment = order_create(
        subscriber_id=person.pk, telegram_id=CHAT, language="en", plan_code=plan.code,
        plan_title=plan.title, period_days=30, currency_type="crypto", currency="USDT",
        amount=plan.prices.get().amount,
    )  # fmt: skip
    drain()
    payment.refresh_from_db()
    provider.pay.pay(int(payment.external_id or 0), amount="1", silent=True)
    job_perform("payments.verify_pending")
    review = Review.objects.get(payment=payment, reason="under")
    review_resolve(review_id=review.pk, resolution="refunded", note="Sent back.", by=None)
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == (State.FAILED, "declined")
    with clock.shift(LATER):
        assert compare()["opened"] == 0
        assert compare()["mended"] == 0
    assert not Job.objects.filter(kind="payments.check_invoice").exists()
    assert job_perform("payments.verify_pending").result["checked"] == 0  # type: ignore[union-attr]
