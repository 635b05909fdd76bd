"""The log of incoming webhooks in the console."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from jobs import sql
from jobs.models import AuditEntry, Job
from jobs.operations import job_cancel
from jobs.outcomes import Done
from jobs.testing import assert_enqueued, drain, job_perform
from lib import clock
from payments.models import IncomingWebhook, Intake, Payment, State
from payments.services import payment_fail
from tests.payments.conftest import TOKEN, Heard, deliver, invoiced, number_of, update_of
from tests.sandbox.fixture import Sandbox

LIST = "/admin/payments/incomingwebhook/"


def row_make(number: int = 1, **changes: Any) -> IncomingWebhook:
    fields: dict[str, Any] = {
        "source": "cryptobot",
        "kind": "payment",
        "event": "invoice_paid",
        "key": f"invoice:{number}",
        "object_ref": f"invoice:{number}",
        "body": update_of({"invoice_id": number, "api_token": "hidden-word"}),
        "headers": {"crypto-pay-api-signature": "abcdef0123456789"},
        "is_valid": True,
        "state": Intake.PROCESSED,
        "received_at": clock.now(),
        "processed_at": clock.now(),
    }
    return IncomingWebhook.objects.create(**{**fields, **changes})


def retried() -> dict[str, int]:
    outcome = job_perform("payments.retry_webhooks")
    assert isinstance(outcome, Done)
    result: dict[str, int] = outcome.result
    return result


def page(row: IncomingWebhook) -> str:
    return reverse("admin:payments_incomingwebhook_change", args=[row.pk])


def replay(client: Client, row: IncomingWebhook) -> str:
    address = reverse("admin:payments_incomingwebhook_replay", args=[row.pk])
    content: bytes = client.post(address, {"next": page(row)}, follow=True).content
    return content.decode()


def test_the_log_says_how_its_doors_are(operator: Client, settings: Settings) -> None:
    settings.CRYPTOBOT_TOKEN = TOKEN
    row_make()
    text = operator.get(LIST).content.decode()
    assert "/webhooks/cryptobot/" in text
    assert "signatures can be proved" in text
    assert "1 processed" in text
    settings.CRYPTOBOT_TOKEN = ""
    assert "CRYPTOBOT_TOKEN is not set" in operator.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("?state=processed", True),
        ("?state=failed", False),
        ("?source=cryptobot", True),
        ("?event=invoice_paid", True),
        ("?event=other", False),
        ("?about=invoice:1", True),
        ("?about=invoice:2", False),
        ("?received_from=1h", True),
        ("?received_to=1h", False),
    ],
)
def test_filters(operator: Client, query: str, *, matches: bool) -> None:
    row = row_make()
    found = operator.get(f"{LIST}{query}").context["page"].webhooks
    assert found == ([row] if matches else [])


def test_a_body_is_shown_with_its_secrets_masked(operator: Client) -> None:
    text = operator.get(page(row_make())).content.decode()
    assert "update_type" in text
    assert "hidden-word" not in text
    assert "abcdef0123456789" not in text


@pytest.mark.parametrize(
    "name", ["vlessUuid", "shortUuid", "subscriptionUrl", "trojanPassword", "ssPassword"]
)
def test_what_opens_the_connection_of_a_user_is_masked(operator: Client, name: str) -> None:
    body = orjson.dumps({"event": "user.modified", "data": {"username": "ivan", name: "opens-it"}})
    text = operator.get(page(row_make(source="remnawave", body=body))).content.decode()
    assert "ivan" in text
    assert "opens-it" not in text


def test_a_webhook_is_found_by_number_invoice_or_payment(
    operator: Client, provider: Sandbox
) -> None:
    payment = invoiced()
    row = row_make(object_ref=f"payment:{payment.pk}")
    assert operator.get(f"{LIST}?q={row.pk}", follow=True).context["webhook"] == row
    found = operator.get(f"{LIST}?q={payment.pk}", follow=True).context["page"].webhooks
    assert found == [row]


def test_a_replay_processes_again_and_does_nothing_twice(
    operator: Client, client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    assert deliver(client, update_of(provider.pay.pay(number_of(payment), silent=True))) == 200
    drain()
    row = IncomingWebhook.objects.get()
    assert "processed again" in replay(operator, row)
    drain()
    row.refresh_from_db()
    assert row.state == Intake.PROCESSED
    assert len(heard.completed) == 1
    assert AuditEntry.objects.get(action="payments.replay").object_id == str(row.pk)


def test_a_replay_helps_what_was_given_up(
    operator: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = update_of(provider.pay.pay(number_of(payment), silent=True))
    row = row_make(state=Intake.FAILED, body=body, attempts=3)
    replay(operator, row)
    drain()
    assert heard.completed == [payment]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "duplicate"}, "it is a duplicate"),
        ({"state": "rejected", "is_valid": False}, "its signature was wrong"),
        ({"source": "strange"}, "no source"),
    ],
)
def test_what_cannot_be_replayed(operator: Client, changes: dict[str, Any], why: str) -> None:
    row = row_make(**changes)
    assert why in replay(operator, row)


def test_many_are_replayed_after_a_look(operator: Client, provider: Sandbox) -> None:
    failed, twin = row_make(1, state=Intake.FAILED), row_make(2, state=Intake.DUPLICATE)
    look = operator.get(f"{LIST}act/", {"action": "replay", "id": [str(failed.pk), str(twin.pk)]})
    assert "Replay 2 webhooks?" in look.content.decode()
    failed.refresh_from_db()
    assert failed.state == Intake.FAILED
    sent: dict[str, list[str]] = {}
    for name, value in look.context["hidden"]:
        sent.setdefault(name, []).append(value)
    answer = operator.post(f"{LIST}act/", sent, follow=True).content.decode()
    assert "1 webhook processed again" in answer
    assert "it is a duplicate" in answer
    assert_enqueued("payments.process_webhook", webhook_id=failed.pk)


def test_who_may_only_look_may_not_replay(supporter: Client) -> None:
    row = row_make()
    address = reverse("admin:payments_incomingwebhook_replay", args=[row.pk])
    assert supporter.post(address).status_code == 403
    assert supporter.get(page(row)).status_code == 200


def test_the_front_page_names_what_was_given_up(operator: Client) -> None:
    row_make(1, state=Intake.FAILED)
    row_make(2, state=Intake.RECEIVED, is_valid=False, key="")
    text = operator.get("/admin/").content.decode()
    assert "incoming webhook given up" in text
    assert "webhook that cannot be proved" in text


def test_what_waits_is_tried_again_three_times_and_then_given_up(heard: Heard) -> None:
    row = row_make(state=Intake.RECEIVED, processed_at=None)
    for attempt in range(3):
        with clock.shift(timedelta(minutes=30 * (attempt + 1))):
            assert retried()["started"] == 1
            job = assert_enqueued("payments.process_webhook", webhook_id=row.pk)
            job_perform("payments.retry_webhooks")  # its job is alive: no try is spent
            job_cancel(job_id=job.pk, by=None)
    with clock.shift(timedelta(hours=2)):
        assert retried()["failed"] == 1
    row.refresh_from_db()
    assert (row.state, row.attempts) == (Intake.FAILED, 3)
    assert heard.groups() == ["payments.webhooks_failed"]


def test_what_waits_for_a_day_is_given_up(heard: Heard) -> None:
    row_make(state=Intake.RECEIVED)
    with clock.shift(timedelta(hours=25)):
        job_perform("payments.retry_webhooks")
    assert IncomingWebhook.objects.get().state == Intake.FAILED


def test_an_unproved_one_whose_event_came_again_is_a_duplicate(
    client: Client, provider: Sandbox, settings: Settings, heard: Heard
) -> None:
    payment = invoiced()
    body = update_of(provider.pay.pay(number_of(payment), silent=True))
    settings.CRYPTOBOT_TOKEN = ""
    deliver(client, body)
    settings.CRYPTOBOT_TOKEN = TOKEN
    deliver(client, body)
    with clock.shift(timedelta(minutes=30)):
        job_perform("payments.retry_webhooks")
    drain()
    states = list(IncomingWebhook.objects.order_by("id").values_list("state", flat=True))
    assert states == ["duplicate", "processed"]
    assert len(heard.completed) == 1


def test_a_forged_one_that_came_without_a_token_is_rejected_later(
    client: Client, settings: Settings
) -> None:
    settings.CRYPTOBOT_TOKEN = ""
    invoice = {
        "invoice_id": 1, "status": "paid", "currency_type": "crypto", "asset": "USDT", "amount": "5",
        "bot_invoice_url": "https://t.me/x", "created_at": "2026-11-22T12:00:00Z",
    }  # fmt: skip
    assert deliver(client, update_of(invoice), token="41207:forged") == 200
    settings.CRYPTOBOT_TOKEN = TOKEN
    with clock.shift(timedelta(minutes=30)):
        job_perform("payments.retry_webhooks")
    row = IncomingWebhook.objects.get()
    assert (row.state, row.is_valid) == (Intake.REJECTED, False)


def test_a_second_delivery_revives_what_was_given_up(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    payment_fail(payment_id=payment.pk, reason="expired")
    body = update_of(provider.pay.pay(number_of(payment), silent=True))
    assert deliver(client, body) == 200
    IncomingWebhook.objects.update(state=Intake.FAILED)
    Job.objects.filter(kind="payments.process_webhook").delete()
    sql.run("DELETE FROM jobs_uniquekey")
    assert deliver(client, body) == 200
    drain()
    assert Payment.objects.get().state == State.COMPLETED
    states = list(IncomingWebhook.objects.order_by("id").values_list("state", flat=True))
    assert states == ["processed", "duplicate"]


def test_the_log_costs_the_same_however_much_came(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row_make(0)
    operator.get(LIST)
    with django_assert_num_queries(7):  # session, person, two of permissions; doors, poll, page
        operator.get(LIST)
    for number in range(1, 60):
        row_make(number)
    with django_assert_num_queries(7):
        assert len(operator.get(LIST).context["page"].webhooks) == 50
