"""Who meets whom on the way from money to access, each race with a control that shows it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client
from pytest_django.fixtures import Settings

from jobs.compiled import Compiled
from jobs.testing import drain, job_perform, jobs_of
from payments.intake import flood
from payments.models import Payment, PaymentEvent
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.signature import SIGNATURE_HEADER, signature_of
from payments.services import order_create, payment_recheck
from subscriptions.activation import rows, run
from subscriptions.activation.renewals import Tally, renewal_make
from subscriptions.activation.rows import activation_applied
from subscriptions.activation.serving import serve
from subscriptions.models import Activation, Renewal, SubscriberEvent
from subscriptions.panel import door
from tests.payments.conftest import update_of
from tests.races.parties import parties
from tests.races.together import run_together
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import CHAT, ends_of, paid, person_make, plan_make, row_make, told

pytestmark = pytest.mark.usefixtures("committed")
MONTH = timedelta(days=30)
TOKEN = "41207:AASample-secret_part"


@pytest.fixture
def provider(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    settings.CRYPTOBOT_API_URL = sandbox.cryptopay_url
    settings.CRYPTOBOT_TOKEN = TOKEN
    settings.CRYPTOBOT_POLLS_PER_S = 1000
    flood.unsigned.clear()
    yield sandbox
    gate.client().close()
    gate._client.cache_clear()


def unlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody locks any row from here on."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    for name in ("_LOCK", "_LOCK_OWNER"):
        monkeypatch.setattr(rows, name, Compiled(getattr(rows, name)._build))


@pytest.mark.parametrize(("locked", "months"), [(True, 2), (False, 1)], ids=["locked", "control"])
def test_two_payments_that_are_dated_at_once_add_up(
    panel: PanelHand, monkeypatch: pytest.MonkeyPatch, locked: bool, months: int
) -> None:
    person = person_make(panel)
    first, second = paid(person), paid(person)
    user = door.panel().user(person.panel_id or 0)
    if not locked:
        unlock(monkeypatch)
    with parties() as begin:
        one = begin(lambda: run._decide(first.pk, user)).wait()
        other = begin(lambda: run._decide(second.pk, user)).wait_blocked()
        one.commit()
        other.commit()
    latest = max(
        each.target_expire_at
        for each in Activation.objects.all()
        if each.target_expire_at is not None
    )
    assert latest == person.expire_at + months * MONTH


@pytest.mark.parametrize(
    ("locked", "told_times"), [(True, 1), (False, 2)], ids=["locked", "control"]
)
def test_two_tries_of_one_activation_tell_once(
    panel: PanelHand, monkeypatch: pytest.MonkeyPatch, locked: bool, told_times: int
) -> None:
    person = person_make(panel)
    activation = paid(person)
    user = door.panel().user(person.panel_id or 0)
    decided = run._decide(activation.pk, user)
    assert decided is not None
    assert decided.target_expire_at is not None
    served = serve(door.panel(), user, until=decided.target_expire_at)
    if not locked:
        unlock(monkeypatch)
    told_by: list[int] = []
    monkeypatch.setattr(
        "subscriptions.activation.rows.told_served", lambda row: told_by.append(row.pk)
    )
    with parties() as begin:
        one = begin(lambda: activation_applied(activation.pk, served)).wait()
        other = begin(lambda: activation_applied(activation.pk, served)).wait_blocked()
        one.commit()
        other.commit()
    assert len(told_by) == told_times


def test_two_runs_of_auto_renewal_make_one_invoice(db: None) -> None:
    person = row_make(1, plan=plan_make(), auto_renew=True)
    run_together([lambda: renewal_make(person.pk, person.expire_at, Tally())] * 4)
    assert Payment.objects.count() == Renewal.objects.count() == 1


def test_fifty_deliveries_a_poll_and_an_operator_lead_to_one_access(
    panel: PanelHand, provider: Sandbox
) -> None:
    person, plan = person_make(panel), plan_make()
    payment = order_create(
        subscriber_id=person.pk, telegram_id=CHAT, language="en", plan_code=plan.code,
        plan_title=plan.title, period_days=30, currency_type="crypto", currency="USDT",
        amount=plan.prices.get().amount,
    )  # fmt: skip
    drain()
    payment.refresh_from_db()
    invoice = provider.pay.pay(int(payment.external_id or 0), silent=True)

    def deliver(number: int) -> int:
        body = update_of(invoice, number)
        headers = {SIGNATURE_HEADER: signature_of(body, TOKEN)}
        answers = [
            Client().post(
                "/webhooks/cryptobot/", body, content_type="application/json", headers=headers
            )
            for _ in range(5)
        ]
        return sum(answer.status_code == 200 for answer in answers)

    def work() -> int:
        return drain()

    acts: list[Callable[[], Any]] = [partial(deliver, number) for number in range(10)]
    delivered: list[Any] = run_together(
        [
            *acts,
            lambda: payment_recheck(payment.pk, None),
            lambda: job_perform("payments.verify_pending"),
            work,
            work,
        ]
    )
    assert sum(delivered[:10]) == 50
    drain()
    activation = Activation.objects.get()
    assert activation.state == "applied"
    assert ends_of(panel, person) == person.expire_at + MONTH
    assert len(told()) == 1
    assert PaymentEvent.objects.filter(payment=payment, kind="completed").count() == 1
    assert SubscriberEvent.objects.filter(kind="activated").count() == 1
    assert [job.state for job in jobs_of("subscriptions.activate")] == ["completed"]
