"""What invoices weigh: a simulation makes a hundred thousand of them."""

import tracemalloc
from uuid import UUID

import pytest

from tests.sandbox.cryptopay.invoices import InvoiceStore, Terms
from tests.sandbox.cryptopay.payment import PayOrder, paid_by

pytestmark = pytest.mark.unit

MANY = 5000


def fill(store: InvoiceStore) -> None:
    """As createInvoice does: every order brings words of its own, equal to those of others."""
    words = ["VPN PRO,", "30 days"]
    for number in range(MANY):
        terms = Terms(
            app_id=41207,
            currency_type="fiat",
            currency="RUB",
            amount=str(499),
            accepted_assets=("USDT", "TON"),
            description=" ".join(words),
        )
        store.add(terms, str(UUID(int=number)), 1795346744.5 + number, 86_400)


def test_an_invoice_weighs_less_than_a_kilobyte_also_when_it_is_paid() -> None:
    store = InvoiceStore()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        fill(store)
        for invoice in store.newest_first():
            invoice.paid = paid_by(invoice, PayOrder(), invoice.created_at + 60)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(store) == MANY
    assert (after - before) / MANY < 1000
