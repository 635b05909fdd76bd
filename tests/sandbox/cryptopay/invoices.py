"""Invoices in memory: what many of them share is kept once, so that 100,000 weigh some 50 MB.

Whether one is expired is reckoned from the clock when somebody looks. Moments are unix seconds.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

FIRST_ID = 9_000_001


@dataclass(frozen=True, slots=True)
class Terms:
    """All of an order but its payload: the same for everybody who buys the same."""

    app_id: int
    currency_type: str
    currency: str
    amount: str
    accepted_assets: tuple[str, ...] = ()
    swap_to: str = ""
    description: str = ""
    hidden_message: str = ""
    paid_btn_name: str = ""
    paid_btn_url: str = ""
    allow_comments: bool = True
    allow_anonymous: bool = True


@dataclass(slots=True)
class Paid:
    """How an invoice was paid. Rates are as they were then, as text."""

    at: float
    asset: str
    amount: Decimal
    fiat_rate: str
    usd_rate: str
    comment: str = ""
    is_anonymous: bool = True
    is_swapped: bool = False


@dataclass(slots=True, eq=False)
class Invoice:
    """One invoice."""

    invoice_id: int
    terms: Terms
    payload: str
    created_at: float
    expires_at: float | None
    paid: Paid | None = None

    def status(self, now: float) -> str:
        if self.paid is not None:
            return "paid"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    @property
    def hash(self) -> str:
        """The name in links. It holds the id, so that no table leads back."""
        return f"IV{zlib.crc32(str(self.invoice_id).encode()):08x}{self.invoice_id:x}"


class InvoiceStore:
    """The invoices of all apps. Ids grow and are never used twice, not even after a reset."""

    def __init__(self) -> None:
        self.latest_id = FIRST_ID - 1
        self.reset()

    def reset(self) -> None:
        self._by_id: dict[int, Invoice] = {}
        self._terms: dict[Terms, Terms] = {}
        self.deleted = 0
        self.revision = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, terms: Terms, payload: str, created_at: float, life_s: int | None) -> Invoice:
        self.latest_id += 1
        invoice = Invoice(
            self.latest_id,
            self._terms.setdefault(terms, terms),
            payload,
            created_at,
            None if life_s is None else created_at + life_s,
        )
        self._by_id[invoice.invoice_id] = invoice
        self.revision += 1
        return invoice

    def put(
        self,
        invoice_id: int,
        terms: Terms,
        payload: str,
        created_at: float,
        expires_at: float | None,
        paid: Paid | None,
    ) -> None:
        """Take in one that was made before."""
        shared = self._terms.setdefault(terms, terms)
        made = Invoice(invoice_id, shared, payload, created_at, expires_at, paid)
        self._by_id[invoice_id] = made

    def rows(self) -> dict[str, Any]:
        """All of them, for a file: each names its terms by their place."""
        places = {terms: place for place, terms in enumerate(self._terms)}
        return {
            "latest_id": self.latest_id,
            "deleted": self.deleted,
            "terms": list(self._terms),
            "invoices": [
                (
                    each.invoice_id,
                    places[each.terms],
                    each.payload,
                    each.created_at,
                    each.expires_at,
                    each.paid,
                )
                for each in self._by_id.values()
            ],
        }

    def find(self, invoice_id: int, app_id: int | None = None) -> Invoice | None:
        """An invoice, of an app if one is given."""
        invoice = self._by_id.get(invoice_id)
        if invoice is None or (app_id is not None and invoice.terms.app_id != app_id):
            return None
        return invoice

    def by_hash(self, name: str) -> Invoice | None:
        try:
            invoice = self._by_id.get(int(name[10:], 16))
        except ValueError:
            return None
        return invoice if invoice is not None and invoice.hash == name else None

    def newest_first(self, app_id: int | None = None) -> Iterator[Invoice]:
        for invoice in reversed(self._by_id.values()):
            if app_id is None or invoice.terms.app_id == app_id:
                yield invoice

    def delete(self, invoice: Invoice) -> None:
        del self._by_id[invoice.invoice_id]
        self.deleted += 1
        self.revision += 1

    def changed(self) -> None:
        """Say that an invoice is not what it was."""
        self.revision += 1
