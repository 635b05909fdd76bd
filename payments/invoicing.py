"""Having the provider make the invoice of an order: one per order, whatever gets lost on the way."""

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs.alerts import attention
from jobs.context import current_job
from jobs.faults import fault
from jobs.outcomes import Cancel, Done, Outcome
from jobs.registry import kind_get
from lib import clock
from payments.errors import PaymentNotOpen
from payments.events import invoice_made
from payments.models import CurrencyType, Payment, ReviewReason, State
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.errors import (
    AppSuspended,
    CryptoPayRefused,
    CryptoPayUnknown,
    InvoiceOrderInvalid,
    TokenRefused,
)
from payments.providers.cryptobot.types import DESCRIPTION_LIMIT, Invoice, InvoiceOrder
from payments.questions import question_open
from payments.rows import payment_lock
from payments.settling import payment_fail
from payments.story import Line, event_write
from payments.writing import asked_write, opened_write

logger = logging.getLogger(__name__)


def invoice_make(payment_id: UUID, expires_in: timedelta | None = None) -> Outcome:
    """Make the invoice of an order, or find the one that an earlier try made; then announce it.

    That we are about to ask is written down before, so that whoever comes after a crash or an unknown
    outcome looks before asking again. What the provider refuses for good fails the payment; a token
    that is refused does not, for a person can put that right. Raises what is for the ladder.
    """
    oldest = clock.now() - settings.INVOICE_TTL
    payment, was_asked = asked_write(payment_id, since=oldest)
    if payment is None or payment.state != State.CREATED:
        return Cancel("there is no order that waits for an invoice")
    if payment.created_at < oldest:
        payment_fail(payment_id=payment.pk, reason="no_invoice")
        return Cancel("it is too late for an invoice")
    try:
        invoice = gate.invoice_open(_order(payment, expires_in), look_first=was_asked)
    except (TokenRefused, AppSuspended):
        raise
    except (CryptoPayRefused, InvoiceOrderInvalid) as exc:
        return _refused(payment, str(exc))
    except CryptoPayUnknown:
        if (job := current_job()) is not None and job.attempt >= job.max_attempts:
            _unsure(payment)
        raise
    if not was_asked:
        fault("invoice.made")
    return invoice_record(payment.pk, invoice, was_found=was_asked)


def _order(payment: Payment, expires_in: timedelta | None) -> InvoiceOrder:
    is_fiat = payment.currency_type == CurrencyType.FIAT
    return InvoiceOrder(
        payload=str(payment.pk),
        amount=payment.amount.normalize(),
        fiat=payment.currency if is_fiat else None,
        asset=None if is_fiat else payment.currency,
        accepted_assets=tuple(payment.accepted_assets),
        expires_in=expires_in,
        description=payment.plan_title[:DESCRIPTION_LIMIT],
    )


@transaction.atomic
def invoice_record(payment_id: UUID, invoice: Invoice, *, was_found: bool = False) -> Outcome:
    """Write down the invoice of an order, and announce that it is open.

    Repeat: the same invoice changes nothing; another one is a spare, which is deleted by a job.
    """
    number = str(invoice.invoice_id)
    said = {
        "invoice": number,
        "until": invoice.expires_at.isoformat() if invoice.expires_at else "",
    }
    line = Line("invoice_found" if was_found else "invoice_made", said)
    opened = opened_write(payment_id, invoice, [line])
    if opened is not None:
        invoice_made.send(Payment, payment=opened)
        return Done({"invoice": number})
    payment = payment_lock(payment_id)
    if payment.external_id == number:
        return Done({"invoice": number})
    event_write(payment.pk, "invoice_spare", data={"invoice": number})
    kind_get("payments.delete_invoice").enqueue(
        invoice_id=invoice.invoice_id, unique=("payments.delete_invoice", number)
    )
    return Done({"invoice": payment.external_id, "spare": number})


def _refused(payment: Payment, why: str) -> Outcome:
    with transaction.atomic():
        event_write(payment.pk, "invoice_refused", data={"reason": why})
        try:
            payment_fail(payment_id=payment.pk, reason="refused", note=why)
        except PaymentNotOpen:  # paid by an invoice that an earlier try had made
            return Done({"refused": why})
        attention(
            group="payments.invoice_refused",
            title="Crypto Pay refused to make an invoice",
            text=f"{payment}: {why}",
            severity="critical",
            link=f"/admin/payments/payment/{payment.pk}/change/",
        )
    return Cancel(f"refused: {why}"[:200])


def _unsure(payment: Payment) -> None:
    question_open(
        payment=payment,
        key=f"payment:{payment.pk}",
        reason=ReviewReason.INVOICE_UNSURE,
        facts={"note": "Crypto Pay did not say whether it made the invoice."},
    )


def spare_delete(invoice_id: int) -> Outcome:
    """Delete an invoice that nobody shall pay any more. Paid meanwhile: its webhook tells."""
    try:
        gate.invoice_delete(invoice_id)
    except (TokenRefused, AppSuspended):
        raise
    except CryptoPayRefused as exc:
        logger.warning("invoice %d cannot be deleted: %s", invoice_id, exc)
        return Cancel(f"it is no longer active: {exc}"[:200])
    return Done({"deleted": invoice_id})
