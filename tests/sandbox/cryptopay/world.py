"""All state of the Crypto Pay side in one place. One event loop uses it, so nothing needs a lock."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.clock import SandboxClock
from tests.sandbox.cryptopay.apps import AppBook
from tests.sandbox.cryptopay.deliveries import Deliveries
from tests.sandbox.cryptopay.invoices import InvoiceStore
from tests.sandbox.cryptopay.shapes import invoice_shape
from tests.sandbox.cryptopay.transfers import TransferBook


@dataclass(slots=True)
class Traffic:
    """Counts calls. A cut connection has no status and counts as "cut"; peak is of real seconds."""

    by_method: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    peak_per_s: Counter[str] = field(default_factory=Counter)
    _second: int = 0
    _within: Counter[str] = field(default_factory=Counter)

    def count(self, at: float, method: str, status: int | None) -> None:
        if int(at) != self._second:
            self._second = int(at)
            self._within.clear()
        self._within[method] += 1
        self.peak_per_s[method] = max(self.peak_per_s[method], self._within[method])
        self.by_method[method] += 1
        self.by_status["cut" if status is None else str(status)] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "received": self.by_method.total(),
            "by_method": dict(self.by_method),
            "by_status": dict(self.by_status),
            "peak_per_s": dict(self.peak_per_s),
        }


class World:
    """All that the sandbox knows about Crypto Pay."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.apps = AppBook()
        self.invoices = InvoiceStore()
        self.transfers = TransferBook()
        self.deliveries = Deliveries(clock, self._compose)
        self.traffic = Traffic()

    def reset(self) -> None:
        """Back to the state of a fresh start, except that ids go on."""
        self.apps.reset()
        self.invoices.reset()
        self.transfers.reset()
        self.deliveries.reset()
        self.traffic = Traffic()

    def shape(self, invoice_id: int) -> dict[str, Any] | None:
        """An invoice as its app sees it now."""
        invoice = self.invoices.find(invoice_id)
        if invoice is None:
            return None
        site = self.apps.app(invoice.terms.app_id).site
        return invoice_shape(invoice, self.clock.timestamp(), site)

    def _compose(self, invoice_id: int) -> tuple[dict[str, Any], str] | None:
        invoice = self.invoices.find(invoice_id)
        if invoice is None:
            return None
        app = self.apps.app(invoice.terms.app_id)
        return invoice_shape(invoice, self.clock.timestamp(), app.site), app.token
