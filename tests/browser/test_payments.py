"""Support answers "I paid and nothing happened", with a real browser and the sandbox of Crypto Pay."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from jobs.testing import drain, job_perform
from lib import clock
from payments.models import Payment, Review
from payments.providers.cryptobot import gate
from payments.services import payment_settle
from tests.browser.conftest import NARROW, Open, Staff
from tests.payments.conftest import alone, invoiced, number_of, provider
from tests.payments.test_earning import paid
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["alone", "provider", "sandbox", "sandbox_server"]

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def alice(staff: Staff) -> str:
    """Of the group Operator."""
    return staff("alice", "Operator")


@pytest.fixture
def shop(committed: None, provider: Sandbox) -> Payment:
    """A month of sales, one invoice that was paid unnoticed, and one that was paid too little."""
    for number in range(90):
        amount = Decimal(5 + number % 3 * 4)
        paid(
            number,
            clock.now() - timedelta(hours=7 * number),
            amount=amount,
            paid_amount=amount,
            plan_code=("standard-1m", "family-1m", "standard-1y")[number % 3],
        )
    job_perform("payments.compute_financial_stats")
    short = invoiced(telegram_id=77)
    provider.pay.pay(number_of(short), silent=True, amount="4.5")
    invoice = gate.invoice_read(number_of(short))
    assert invoice is not None
    payment_settle(payment_id=short.pk, invoice=invoice, found_by="poll")
    unnoticed = invoiced(telegram_id=4242)
    provider.pay.pay(number_of(unnoticed), silent=True)
    return unnoticed


def test_i_paid_and_nothing_happened(
    alice: str, shop: Payment, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=alice)
    page.goto("/admin/payments/payment/")
    page.get_by_label("Find a payment").fill("4242")
    page.get_by_role("button", name="Find").click()
    page.locator("table").get_by_role("link", name="Standard, 1 month").click()
    expect(page.get_by_text("None came.")).to_be_visible()
    page.locator("summary", has_text="Recheck").click()
    page.get_by_role("button", name="Ask Crypto Pay").click()
    expect(page.get_by_text("Crypto Pay is being asked.")).to_be_visible()
    meanwhile(drain)
    page.reload()
    expect(page.get_by_text("noticed by operator")).to_be_visible()
    expect(page.locator(".title .badge")).to_have_text("completed")


def test_too_little_money_is_decided_at_the_desk(
    alice: str, shop: Payment, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=alice)
    page.goto("/admin/")
    page.get_by_role("link", name="open question about money").click()
    page.get_by_role("link", name="paid less than asked").click()
    expect(page.get_by_text("4.5 USDT")).to_be_visible()
    page.get_by_label("Why (required; it is kept)").fill("half a dollar is fine")
    page.get_by_role("button", name="Accept as paid").click()
    expect(page.get_by_text("It is being accepted.")).to_be_visible()
    meanwhile(drain)
    page.reload()
    expect(page.get_by_text("accepted as paid").first).to_be_attached()
    expect(page.get_by_text("half a dollar is fine").first).to_be_visible()
    assert meanwhile(lambda: Payment.objects.get(telegram_id=77).state) == "completed"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(alice: str, shop: Payment, open_page: Open, scheme: Any) -> None:
    question = Review.objects.get()
    page = open_page(NARROW, session=alice)
    page.emulate_media(color_scheme=scheme)
    home = "/admin/payments"
    for address in (
        f"{home}/payment/",
        f"{home}/payment/{shop.pk}/change/",
        f"{home}/review/",
        f"{home}/review/{question.pk}/change/",
        f"{home}/incomingwebhook/",
        f"{home}/financialday/",
        f"{home}/financialday/?days=90",
    ):
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, address
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW["width"], f"{address} is {wide} pixels wide"
