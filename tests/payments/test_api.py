"""Payments over REST."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.accounts import token_issue
from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from lib import clock
from payments.models import State
from payments.services import payment_fail
from tests.payments.conftest import invoiced, order_make
from tests.payments.test_earning import paid
from tests.sandbox.fixture import Sandbox

ROOT = "/api/v1/payments"
MakeCaller = Callable[..., Client]


@pytest.fixture
def caller(account: Callable[..., User]) -> MakeCaller:
    """A machine with a token and these permissions."""

    def make(*permissions: str, name: str = "machine") -> Client:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make


@pytest.fixture
def api(caller: MakeCaller) -> Client:
    return caller("payments.view_payment", "payments.operate_payment")


def items(api: Client, query: str = "") -> list[dict[str, Any]]:
    answer = api.get(f"{ROOT}{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_amounts_are_texts_without_a_lost_digit(api: Client) -> None:
    paid(9000017)
    (found,) = items(api)
    assert (found["amount"], found["paid_amount"], found["fee_amount"]) == ("5", "5", "0.15")
    assert (found["state"], found["invoice"]) == ("completed", "9000017")


def test_pages_go_on_where_the_last_one_ended(api: Client) -> None:
    everything = [str(paid(number).pk) for number in range(5)][::-1]
    found, cursor = [], ""
    while True:
        page = api.get(f"{ROOT}?limit=2{cursor}").json()
        found += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == everything


def test_a_page_costs_the_same_however_long_it_is(
    api: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        paid(number)
    items(api)
    with django_assert_num_queries(5):  # token, account, two of permissions; the page
        assert len(items(api, "?limit=30")) == 30


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("?state=completed", True),
        ("?state=failed", False),
        ("?purpose=renewal", True),
        ("?purpose=new", False),
        ("?found_by=webhook", True),
        ("?plan=standard-1m", True),
        ("?plan=x", False),
        ("?currency=USDT", True),
        ("?asset=TON", False),
        ("?invoice=1", True),
        ("?invoice=2", False),
        ("?telegram_id=42", True),
        ("?subscriber=8", False),
        ("?created_from=2026-01-01T00:00:00Z", True),
        ("?created_to=2026-01-01T00:00:00Z", False),
    ],
)
def test_filters(api: Client, query: str, *, matches: bool) -> None:
    paid(1, telegram_id=42, subscriber_id=9)
    assert bool(items(api, query)) is matches


@pytest.mark.parametrize(
    "query",
    [
        "?state=strange",
        "?purpose=x",
        "?limit=0",
        "?cursor=x",
        "?created_from=now",
        "?subscriber=-1",
        "?plan=%00",
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(api: Client, query: str) -> None:
    answer = api.get(f"{ROOT}{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"
    assert answer.json()["errors"][0]["field"] == query[1:].partition("=")[0]


def test_one_payment_comes_with_its_story_in_words(api: Client, provider: Sandbox) -> None:
    payment = invoiced()
    payment_fail(payment_id=payment.pk, reason="expired")
    found = api.get(f"{ROOT}/{payment.pk}").json()
    assert found["failure"] == "the invoice was not paid in time"
    assert [line["kind"] for line in found["story"]] == [
        "ordered",
        "invoice_asked",
        "invoice_made",
        "failed",
        "told_failed",
    ]
    assert found["story"][3]["sentence"] == "Given up: the invoice was not paid in time."
    assert found["questions"] == []


def test_a_payment_that_is_not_there_is_a_problem(api: Client) -> None:
    answer = api.get(f"{ROOT}/01a20221-7d3e-7c41-9d0a-3f2b8c6f1e55")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_recheck_is_a_job_and_is_audited(api: Client) -> None:
    payment = paid(1, state=State.PENDING, completed_at=None, paid_at=None)
    answer = api.post(f"{ROOT}/{payment.pk}/recheck")
    assert (answer.status_code, answer.json()["id"]) == (202, str(payment.pk))
    assert_enqueued("payments.check_invoice", payment_id=str(payment.pk))
    assert AuditEntry.objects.get(action="payments.recheck").account_name == "machine"


def test_what_never_had_an_invoice_cannot_be_rechecked(api: Client) -> None:
    payment = order_make()
    with clock.shift(timedelta(days=2)):
        payment_fail(payment_id=payment.pk, reason="no_invoice")
    answer = api.post(f"{ROOT}/{payment.pk}/recheck")
    assert (answer.status_code, answer.json()["code"]) == (409, "payment_has_no_invoice")


def test_each_door_asks_for_its_permission(caller: MakeCaller) -> None:
    payment = paid(1)
    stranger, viewer = caller(name="stranger"), caller("payments.view_payment", name="viewer")
    assert stranger.get(ROOT).status_code == 403
    assert stranger.get(f"{ROOT}/{payment.pk}").status_code == 403
    assert viewer.get(f"{ROOT}/{payment.pk}").status_code == 200
    assert viewer.post(f"{ROOT}/{payment.pk}/recheck").status_code == 403
    assert Client().get(ROOT).status_code == 401
