"""Ledger against provider: the invoices of what is open or recent are read, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from jobs.breakers import BreakerOpen
from jobs.compiled import rows_of
from payments.models import State as PaymentState
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.client import IDS_LIMIT
from payments.providers.cryptobot.errors import CryptoPayError
from payments.providers.cryptobot.types import Invoice
from payments.reviewing import CLOSING
from subscriptions.access.gaps import Found, GapKind
from subscriptions.access.parts import LATE, Part, check

FAILED_LATELY = timedelta(days=2)  # an invoice that was paid after all
COMPLETED_LATELY = timedelta(hours=1)
FAILED_MOST = 1_000
PROVIDER_MOST = 3_000  # invoices of one run
LEDGER_KINDS = (GapKind.LEDGER_BEHIND, GapKind.LEDGER_AHEAD)

# Each group by an index of its own: however many payments there were, these are few. Of those that
# are pending come first whom nobody has asked about for longest.
_TO_ASK = """
SELECT id, external_id FROM payment WHERE external_id IS NOT NULL AND id = ANY(
    SELECT payment_id FROM access_gap WHERE healed_at IS NULL AND kind = ANY(%s::text[]))
UNION ALL
(SELECT id, external_id FROM payment
WHERE external_id IS NOT NULL AND state = 'completed' AND completed_at > %s
ORDER BY completed_at DESC LIMIT %s)
UNION ALL
(SELECT id, external_id FROM payment WHERE external_id IS NOT NULL AND state = 'pending'
ORDER BY checked_at NULLS FIRST, id LIMIT %s)
UNION ALL
(SELECT id, external_id FROM payment
WHERE external_id IS NOT NULL AND state = 'failed' AND failed_at > %s
ORDER BY failed_at DESC LIMIT %s)
"""
# The ledger may have moved on while the provider was asked. In question: somebody is asked about this
# money, or has said that it is not taken. Neither is a gap.
_FRESH = """
SELECT p.id, p.external_id, p.state, p.subscriber_id, EXISTS (
    SELECT FROM payment_review r WHERE r.payment_id = p.id AND (
        r.resolved_at IS NULL OR r.resolution = ANY(%s::text[]) AND r.facts ? 'came'))
FROM payment p WHERE p.id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class _Ledger:
    """A payment as the ledger has it now."""

    id: UUID
    external_id: str | None
    state: str
    subscriber_id: int | None
    is_in_question: bool


def provider_scan(now: datetime) -> Part:
    """Ledger against provider, for what is open or recent. A few calls, of many invoices each."""
    part = Part(LEDGER_KINDS)
    if not gate.is_configured():
        return part
    payments = _payments_to_ask(now)
    for start in range(0, len(payments), IDS_LIMIT):
        check()
        pack = payments[start : start + IDS_LIMIT]
        part.asked += len(pack)
        try:
            invoices = gate.invoices_read([int(external_id) for _, external_id in pack])
        except (CryptoPayError, BreakerOpen):
            part.unknown += len(payments) - start
            break
        _pack_compare([payment_id for payment_id, _ in pack], invoices, now, part)
    return part


def _payments_to_ask(now: datetime) -> list[tuple[UUID, str]]:
    rows = rows_of(
        _TO_ASK,
        [
            list(LEDGER_KINDS), now - COMPLETED_LATELY, PROVIDER_MOST, PROVIDER_MOST,
            now - FAILED_LATELY, FAILED_MOST,
        ],
    )  # fmt: skip
    return list(dict(rows).items())[:PROVIDER_MOST]


def _pack_compare(
    payment_ids: Sequence[UUID], invoices: dict[int, Invoice], now: datetime, part: Part
) -> None:
    for row in rows_of(_FRESH, [list(CLOSING), list(payment_ids)]):
        payment = _Ledger(*row)
        invoice = invoices.get(int(payment.external_id or 0))
        if invoice is None:  # gone at the provider: a Review tells that, and it proves nothing here
            part.unknown += 1
            continue
        assert part.sure is not None
        part.sure.add(payment.id)
        kind = _differs(payment.state, invoice, now)
        if kind is not None and not payment.is_in_question:
            said = f"{invoice.status}"
            if invoice.paid_at:
                said += f" at {invoice.paid_at:%F %T} UTC"
            part.found.append(
                Found(
                    payment.id,
                    kind,
                    payment.subscriber_id,
                    {"provider": said, "ledger": payment.state, "panel": "not asked"},
                )
            )


def _differs(state: str, invoice: Invoice, now: datetime) -> GapKind | None:
    is_done = state in {PaymentState.COMPLETED, PaymentState.REFUNDED}
    if invoice.is_paid and not is_done:
        is_late = invoice.paid_at is None or invoice.paid_at < now - LATE
        return GapKind.LEDGER_BEHIND if is_late else None
    if state == PaymentState.COMPLETED and not invoice.is_paid:
        return GapKind.LEDGER_AHEAD
    return None
