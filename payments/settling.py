"""The one place where money becomes `completed`, or is said not to have come.

The provider has been asked before: what stands in an Invoice is its own answer, never the body of a
webhook. Locks: the payment's row, first of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from jobs.audit import Account
from jobs.registry import kind_get
from lib import clock
from payments import fitting
from payments.errors import PaymentNotOpen
from payments.events import payment_completed, payment_failed
from payments.models import FoundBy, Payment, ReviewReason, State
from payments.providers.cryptobot.types import Invoice
from payments.questions import question_open
from payments.rows import payment_lock, payment_lock_of
from payments.story import Line
from payments.telling import failure_tell
from payments.words import amount_say, failure_say
from payments.writing import completed_write, failed_write, looked_write

_PAID = frozenset({State.COMPLETED, State.REFUNDED})
OPEN = frozenset({State.CREATED, State.PENDING})


@dataclass(frozen=True, slots=True)
class Settled:
    """A payment whose invoice was looked at, and whether that has completed it now."""

    payment: Payment
    is_new: bool


@transaction.atomic
def payment_settle(
    *,
    payment_id: UUID,
    invoice: Invoice,
    found_by: FoundBy | str,
    by: Account = None,
    accept: bool = False,
) -> Payment:
    """Complete a payment whose invoice is paid and fits the order, and announce payment_completed.

    What does not fit the contract opens a Review and changes nothing else; `accept` is a person who
    has looked at that. Paid after it was given up: completed all the same if the time was over, a
    Review if a person gave it up or something was paid instead. An invoice that is not paid changes
    nothing.
    Repeat: a completed payment stays as it is. A second paid invoice of it is a Review. Raises
    NotFound. Locks: the payment; receivers of the signal lock what is theirs after it.
    """
    payment = payment_lock(payment_id)
    _settle(payment, invoice, FoundBy(found_by), by, accept=accept)
    return payment


def payment_accept(payment: Payment, invoice: Invoice, *, by: Account) -> None:
    """payment_settle by a person who accepts what does not fit. The caller holds the payment's lock."""
    _settle(payment, invoice, FoundBy.OPERATOR, by, accept=True)


@transaction.atomic
def invoice_settle(provider: str, invoice: Invoice, *, webhook_id: int) -> Settled | None:
    """The same for whichever payment the invoice of a delivery belongs to; None: for none of ours.

    Whatever comes of it, the delivery is noted as processed in the same transaction.
    """
    payment = payment_lock_of(provider, invoice.invoice_id, invoice.payload)
    if payment is None:
        return None
    is_new = _settle(payment, invoice, FoundBy.WEBHOOK, None, webhook_id=webhook_id)
    return Settled(payment, is_new)


def _settle(
    payment: Payment,
    invoice: Invoice,
    found_by: FoundBy,
    by: Account,
    *,
    accept: bool = False,
    webhook_id: int | None = None,
) -> bool:
    """Act on the answer about a payment that is locked. Says whether it is completed by that."""
    payment.checked_at = clock.now()
    question = _judge(payment, invoice, accept=accept)
    if question is not None or payment.state in _PAID or not invoice.is_paid:
        looked_write(payment, webhook_id=webhook_id)
        if question is not None:
            _question(payment, invoice, question)
        return False
    lines = [_adopt(payment, invoice)] if payment.external_id != str(invoice.invoice_id) else []
    _complete(payment, invoice, found_by, by, lines, webhook_id)
    return True


def _judge(payment: Payment, invoice: Invoice, *, accept: bool) -> ReviewReason | None:
    """What a person must be asked about it; None: nothing."""
    if not invoice.is_paid:
        return None
    if payment.state in _PAID:
        is_own = payment.external_id == str(invoice.invoice_id)
        return None if is_own else ReviewReason.TWICE
    return None if accept else _reason(payment, invoice)


def _reason(payment: Payment, invoice: Invoice) -> ReviewReason | None:
    """Why a person must decide; None if it fits."""
    return fitting.misfit(payment, invoice) or fitting.lateness(payment)


def _question(payment: Payment, invoice: Invoice, reason: ReviewReason) -> None:
    question_open(
        payment=payment,
        key=f"invoice:{invoice.invoice_id}"
        if payment.external_id != str(invoice.invoice_id)
        else f"payment:{payment.pk}",
        reason=reason,
        facts=fitting.facts(payment, invoice),
    )


def _adopt(payment: Payment, invoice: Invoice) -> Line:
    """The order was paid by another invoice than the one that stands in it."""
    before, payment.external_id = payment.external_id, str(invoice.invoice_id)
    payment.pay_url = invoice.pay_url[:500]
    payment.expires_at = invoice.expires_at
    payment.invoiced_at = payment.invoiced_at or invoice.created_at
    if before is not None:  # nobody shall pay that one, too
        kind_get("payments.delete_invoice").enqueue(
            invoice_id=int(before), unique=("payments.delete_invoice", before)
        )
    return Line("invoice_adopted", {"invoice": payment.external_id, "before": before})


def _complete(
    payment: Payment,
    invoice: Invoice,
    found_by: FoundBy,
    by: Account,
    lines: Sequence[Line],
    webhook_id: int | None,
) -> None:
    was_failed = payment.state == State.FAILED
    now = clock.now()
    payment.state = State.COMPLETED
    payment.paid_at = invoice.paid_at or now
    payment.paid_asset = _asset(invoice)
    payment.paid_amount = fitting.paid_amount(invoice)
    payment.fee_asset, payment.fee_amount = invoice.fee_asset or "", invoice.fee_amount
    payment.paid_usd_rate = invoice.paid_usd_rate
    payment.found_by = found_by
    payment.completed_at = payment.checked_at = payment.updated_at = now
    said = {
        "paid": amount_say(payment.paid_amount),
        "asset": payment.paid_asset,
        "at": payment.paid_at.isoformat(),
        "found_by": f"{found_by.label}",
    }
    done = Line("completed_late" if was_failed else "completed", said, by)
    completed_write(payment, [*lines, done], webhook_id=webhook_id)
    payment_completed.send(Payment, payment=payment)


def _asset(invoice: Invoice) -> str:
    """In what it was paid: the asset of the price if the provider does not name another."""
    return (invoice.paid_asset or invoice.asset or invoice.currency)[:12]


@transaction.atomic
def payment_fail(
    *,
    payment_id: UUID,
    reason: str,
    by: Account = None,
    note: str = "",
    at: datetime | None = None,
) -> Payment:
    """Give up an open payment, tell the payer, and announce payment_failed.

    reason: a code of payments.words.FAILURES. The caller knows from the provider that it is not paid;
    should it be paid all the same, payment_settle completes it. Repeat: a failed one stays as it is.
    Raises NotFound; PaymentNotOpen if it is completed. Locks: the payment.
    """
    payment = payment_lock(payment_id)
    if payment.state == State.FAILED:
        return payment
    if payment.state not in OPEN:
        raise PaymentNotOpen(f"the payment is {payment.state}")
    now = at or clock.now()
    payment.state, payment.failed_at, payment.failure = State.FAILED, now, reason
    payment.updated_at = now
    said = {"reason": f"{failure_say(reason)}{f' ({note})' if note else ''}"}
    failed_write(payment, [Line("failed", said, by), failure_tell(payment)])
    public = "refused" if reason == "refused" else "expired"
    payment_failed.send(Payment, payment=payment, reason=public)
    return payment
