"""The door of Crypto Pay: written down before it is answered, believed only after it was asked."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from jobs import sql
from jobs.lease import jobs_lease
from jobs.models import JobRecord, Priority
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform, jobs_of
from lib import clock
from payments.intake import flood
from payments.models import IncomingWebhook, Intake, Payment, Review, State
from payments.providers.cryptobot.signature import SIGNATURE_HEADER, signature_of
from tests.payments.conftest import HOOK, TOKEN, Heard, deliver, invoiced, number_of, update_of
from tests.sandbox.fixture import Sandbox


def paid_update(provider: Sandbox, payment: Payment, update_id: int = 1, **order: Any) -> bytes:
    """Pay the invoice silently, and give the body that would have been sent."""
    return update_of(provider.pay.pay(number_of(payment), silent=True, **order), update_id)


def test_a_paid_invoice_completes_its_payment_once(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = paid_update(provider, payment)
    assert deliver(client, body) == 200
    row = IncomingWebhook.objects.get()
    assert (row.state, row.is_valid, row.kind, row.event) == (
        Intake.RECEIVED, True, "payment", "invoice_paid",
    )  # fmt: skip
    assert bytes(row.body) == body
    job = assert_enqueued("payments.process_webhook", webhook_id=row.pk)
    assert job.priority == Priority.CRITICAL
    drain()
    row.refresh_from_db()
    assert (row.state, row.object_ref) == (Intake.PROCESSED, f"payment:{payment.pk}")
    payment.refresh_from_db()
    assert (payment.state, payment.found_by) == (State.COMPLETED, "webhook")
    assert heard.completed == [payment]


def test_what_the_sandbox_itself_sends_is_understood(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced(currency_type="fiat", currency="EUR", accepted_assets=["USDT"])
    body = paid_update(provider, payment, asset="USDT")
    assert deliver(client, body) == 200
    drain()
    payment.refresh_from_db()
    assert payment.state == State.COMPLETED
    assert payment.paid_asset == "USDT"
    assert payment.fee_amount is not None


def test_a_repeated_delivery_is_stored_but_not_worked_at_again(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = paid_update(provider, payment)
    again = update_of(provider.pay.invoice(number_of(payment)), update_id=1)
    other = update_of(provider.pay.invoice(number_of(payment)), update_id=2)
    assert [deliver(client, each) for each in (body, again, other)] == [200, 200, 200]
    drain()
    states = list(IncomingWebhook.objects.order_by("id").values_list("state", flat=True))
    assert states == ["processed", "duplicate", "duplicate"]
    assert len(heard.completed) == 1


def test_the_same_update_id_for_two_invoices_is_two_events(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    first, second = invoiced(), invoiced()
    for payment in (first, second):
        assert deliver(client, paid_update(provider, payment, update_id=77)) == 200
    drain()
    assert {payment.pk for payment in heard.completed} == {first.pk, second.pk}


def test_a_wrong_signature_is_refused_and_its_body_is_cut(
    client: Client, provider: Sandbox
) -> None:
    body = update_of({"comment": "x" * 10_000})
    assert deliver(client, body, token="41207:forged") == 401
    row = IncomingWebhook.objects.get()
    assert (row.state, row.is_valid, len(bytes(row.body))) == (Intake.REJECTED, False, 2048)
    assert_not_enqueued("payments.process_webhook")


@pytest.mark.parametrize("header", [None, "", "0" * 64, "й" * 64], ids=["none", "empty", "0", "й"])
def test_a_delivery_without_a_right_signature_is_refused(
    client: Client, provider: Sandbox, header: str | None
) -> None:
    headers = {} if header is None else {SIGNATURE_HEADER: header.encode().decode("latin-1")}
    answer = client.post(HOOK, b"{}", content_type="application/json", headers=headers)
    assert answer.status_code == 401


def test_a_body_that_was_changed_on_the_way_is_refused(client: Client, provider: Sandbox) -> None:
    body = update_of({"amount": "5"})
    header = {SIGNATURE_HEADER: signature_of(body, TOKEN)}
    answer = client.post(
        HOOK, body.replace(b"5", b"6"), content_type="application/json", headers=header
    )
    assert answer.status_code == 401


def test_a_truncated_body_that_is_signed_is_kept_and_told(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    assert deliver(client, update_of({"invoice_id": 1})[:40]) == 200
    row = IncomingWebhook.objects.get()
    assert (row.state, row.is_valid) == (Intake.REJECTED, True)
    assert row.last_error.startswith("Not readable")
    assert heard.groups() == ["payments.unreadable:cryptobot"]


def test_what_is_too_large_is_not_even_read(client: Client, provider: Sandbox) -> None:
    assert deliver(client, b"x" * (256 * 1024 + 1)) == 413
    assert not IncomingWebhook.objects.exists()


def test_only_so_many_forged_ones_are_written_down(
    client: Client, provider: Sandbox, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None comes back meanwhile, however slow the machine is.
    monkeypatch.setattr(flood, "unsigned", flood.Allowance(per_minute=0))
    payment = invoiced()
    answers = [deliver(client, b"{}", token="41207:forged") for _ in range(flood.BURST + 5)]
    assert answers.count(401) == flood.BURST
    assert answers[-1] == 429
    assert IncomingWebhook.objects.count() == flood.BURST
    assert deliver(client, paid_update(provider, payment)) == 200
    drain()
    assert heard.completed == [payment]


def test_the_door_takes_posts_only(client: Client) -> None:
    assert client.get(HOOK).status_code == 405


def test_an_unknown_invoice_is_taken_stored_and_asked_about(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = paid_update(provider, payment)
    Payment.objects.filter(pk=payment.pk).delete()
    assert deliver(client, body) == 200
    drain()
    row = IncomingWebhook.objects.get()
    assert row.state == Intake.UNMATCHED
    review = Review.objects.get()
    assert (review.reason, review.webhook_id) == ("unknown_invoice", row.pk)
    assert review.facts["came"]["paid"] == "5 USDT"
    assert heard.groups() == ["payments.review:unknown_invoice"]
    assert heard.completed == []


def test_an_invoice_whose_order_only_knows_that_it_asked_is_found_by_its_payload(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = paid_update(provider, payment)
    Payment.objects.filter(pk=payment.pk).update(state=State.CREATED, external_id=None)
    assert deliver(client, body) == 200
    drain()
    payment.refresh_from_db()
    assert payment.state == State.COMPLETED
    assert payment.external_id == str(orjson.loads(body)["payload"]["invoice_id"])


def test_a_webhook_alone_completes_nothing(client: Client, provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    said = {
        **provider.pay.invoice(number_of(payment)),
        "status": "paid",
        "paid_at": "2026-11-22T12:00:00Z",
    }
    assert deliver(client, update_of(said)) == 200
    for minutes in (0, 2, 6, 30):
        with clock.shift(timedelta(minutes=minutes)):
            drain()
    payment.refresh_from_db()
    assert payment.state == State.PENDING
    row = IncomingWebhook.objects.get()
    assert "Crypto Pay says active" in row.last_error
    assert "dead:payments.process_webhook" in heard.groups()


def test_an_update_of_another_type_is_kept_and_done(client: Client, provider: Sandbox) -> None:
    body = orjson.dumps({"update_id": 1, "update_type": "check_activated", "payload": {}})
    assert deliver(client, body) == 200
    drain()
    assert IncomingWebhook.objects.get().state == Intake.PROCESSED


def test_the_webhook_works_while_the_provider_is_off(
    client: Client, provider: Sandbox, settings: Settings, heard: Heard
) -> None:
    payment = invoiced()
    settings.CRYPTOBOT_ENABLED = False
    assert deliver(client, paid_update(provider, payment)) == 200
    drain()
    assert heard.completed == [payment]


def test_without_a_token_it_is_kept_told_and_processed_once_there_is_one(
    client: Client, provider: Sandbox, settings: Settings, heard: Heard
) -> None:
    payment = invoiced()
    body = paid_update(provider, payment)
    settings.CRYPTOBOT_TOKEN = ""
    assert deliver(client, body) == 200
    row = IncomingWebhook.objects.get()
    assert (row.state, row.is_valid) == (Intake.RECEIVED, False)
    assert "payments.unproved:cryptobot" in heard.groups()
    assert jobs_of("payments.process_webhook") == []
    settings.CRYPTOBOT_TOKEN = TOKEN
    with clock.shift(timedelta(minutes=30)):
        job_perform("payments.retry_webhooks")
        drain()
    row.refresh_from_db()
    assert (row.state, row.is_valid) == (Intake.PROCESSED, True)
    assert heard.completed == [payment]


def test_redis_may_be_away(
    client: Client, provider: Sandbox, redis_away: None, heard: Heard
) -> None:
    payment = invoiced()
    assert deliver(client, paid_update(provider, payment)) == 200
    drain()
    assert heard.completed == [payment]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "cut_after"},
        {"kind": "html_502"},
        {"kind": "status", "status": 401, "body": {"ok": False}},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_a_provider_that_does_not_answer_is_asked_again(
    client: Client, provider: Sandbox, heard: Heard, fault: dict[str, Any]
) -> None:
    payment = invoiced()
    body = paid_update(provider, payment)
    provider.fault(service="cryptopay", method="getInvoices", times=1, **fault)
    assert deliver(client, body) == 200
    drain()
    assert heard.completed == []
    with clock.shift(timedelta(minutes=1)):
        drain()
    assert heard.completed == [payment]
    assert IncomingWebhook.objects.get().state == Intake.PROCESSED
    assert JobRecord.objects.get(kind="payments.process_webhook").state == "completed"


def test_a_provider_that_asks_to_wait_costs_no_try(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = paid_update(provider, payment)
    provider.fault(
        service="cryptopay", method="getInvoices", kind="rate_limit", retry_after=7, times=1
    )
    assert deliver(client, body) == 200
    drain()
    waiting = assert_enqueued("payments.process_webhook")
    assert waiting.attempt == 0
    assert waiting.run_at > clock.now() + timedelta(seconds=5)
    sql.run("UPDATE jobs_ratebucket SET paused_until = NULL")  # the pause is over
    with clock.shift(timedelta(seconds=10)):
        drain()
    assert heard.completed == [payment]


def test_twenty_thousand_bulk_jobs_do_not_delay_it(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    sql.run(
        """INSERT INTO jobs_job (id, kind, queue, priority, state, args, run_at, attempt, max_attempts,
            crash_count, fence, skip_ahead, debounced, timeout_s, created_at, blocked)
        SELECT gen_random_uuid(), 'jobs.noop', 'notifications', 2, 'available', '{}', now(), 0, 1, 0, 0,
            false, 0, 60, now(), false FROM generate_series(1, 20000)"""
    )
    assert deliver(client, paid_update(provider, payment)) == 200
    first = jobs_lease(queues=["notifications"], limit=1, worker="test:first")
    assert [lease.kind for lease in first] == ["payments.process_webhook"]
