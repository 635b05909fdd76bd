"""What people do to payments: recheck, give up, note a refund, make the invoice again. All audited."""

from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from lib import clock
from lib.errors import InputInvalid
from payments.errors import PaymentHasNoInvoice, PaymentNotCompleted, PaymentNotOpen
from payments.events import payment_refunded
from payments.models import Payment, State
from payments.rows import payment_lock
from payments.settling import OPEN, payment_fail
from payments.story import event_write
from payments.tasks import check_invoice, delete_invoice, make_invoice

PAYMENT = "payment"  # what the audit log calls it
NOTE_LIMIT = 200


def payment_recheck(payment_id: UUID, by: Account) -> Payment:
    """Have the provider asked about a payment now, by a job; what it says is acted on.

    Repeat: while a check waits or runs, a second call joins it. Raises NotFound,
    PaymentHasNoInvoice for one that failed without ever having had an invoice.
    """
    with transaction.atomic():
        payment = payment_lock(payment_id)
        if payment.external_id is None and payment.state != State.CREATED:
            raise PaymentHasNoInvoice
        check_invoice.enqueue(
            payment_id=payment.pk,
            account_id=getattr(by, "pk", None),
            unique=("payments.check_invoice", payment.pk),
        )
        event_write(payment.pk, "recheck_asked", by=by)
        audit_write(by, "payments.recheck", PAYMENT, payment.pk, state=payment.state)
    return payment


def payment_give_up(*, payment_id: UUID, note: str, by: Account) -> Payment:
    """End an open payment: its invoice is deleted by a job, the payer is told.

    Should it be paid all the same, a Review asks what to do. Repeat: one that failed stays as it is.
    Raises NotFound, PaymentNotOpen, InputInvalid.
    """
    note = _note(note)
    with transaction.atomic():
        payment = payment_lock(payment_id)
        if payment.state not in OPEN:
            raise PaymentNotOpen(f"the payment is {payment.state}")
        payment = payment_fail(payment_id=payment.pk, reason="given_up", note=note, by=by)
        if payment.external_id is not None:
            delete_invoice.enqueue(
                invoice_id=int(payment.external_id),
                unique=("payments.delete_invoice", payment.external_id),
            )
        audit_write(by, "payments.give_up", PAYMENT, payment.pk, note=note)
    return payment


def payment_refund_note(*, payment_id: UUID, note: str, by: Account) -> Payment:
    """Mark a completed payment as refunded, and announce payment_refunded. Moves no money.

    Repeat: one that is marked stays as it is. Raises NotFound, PaymentNotCompleted, InputInvalid.
    """
    note = _note(note)
    with transaction.atomic():
        payment = payment_lock(payment_id)
        if payment.state == State.REFUNDED:
            return payment
        if payment.state != State.COMPLETED:
            raise PaymentNotCompleted(f"the payment is {payment.state}")
        now = clock.now()
        payment.state, payment.refunded_at, payment.updated_at = State.REFUNDED, now, now
        payment.save(update_fields=["state", "refunded_at", "updated_at"])
        event_write(payment.pk, "refunded", data={"note": note}, by=by)
        audit_write(
            by,
            "payments.refund_note",
            PAYMENT,
            payment.pk,
            note=note,
            amount=str(payment.amount),
            currency=payment.currency,
        )
        payment_refunded.send(Payment, payment=payment)
    return payment


def invoice_make_again(*, payment_id: UUID, by: Account) -> Payment:
    """Try again to make the invoice of an order whose job gave up. It looks first for one that exists.

    Raises NotFound, PaymentNotOpen if the order waits for no invoice.
    """
    with transaction.atomic():
        payment = payment_lock(payment_id)
        if payment.state != State.CREATED:
            raise PaymentNotOpen(f"the payment is {payment.state}")
        make_invoice.enqueue(payment_id=payment.pk, unique=("payments.make_invoice", payment.pk))
        audit_write(by, "payments.make_invoice", PAYMENT, payment.pk)
    return payment


def _note(note: str) -> str:
    note = note.strip()
    if not note or len(note) > NOTE_LIMIT:
        raise InputInvalid(f"say why, in at most {NOTE_LIMIT} characters")
    return note
