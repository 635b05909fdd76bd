"""Answering open questions about money. Accepting money asks the provider once more: no path of ours
completes a payment without the provider's own word that it is paid."""

from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.compiled import Compiled, Param, rows_of
from jobs.outcomes import Cancel, Done, Outcome
from jobs.registry import kind_get
from lib import clock
from lib.errors import InputInvalid, NotFound
from payments.errors import ReviewNotSettleable, ReviewResolved
from payments.models import Payment, Review, State
from payments.providers.cryptobot import gate
from payments.rows import payment_lock
from payments.settling import OPEN, payment_accept
from payments.story import event_write, name_of
from payments.words import RESOLUTIONS, failure_say

REVIEW = "payment review"  # what the audit log calls it
SETTLED = "settled"
CLOSING = ("refunded", "kept")
NOTE_LIMIT = 500
_PAID = frozenset({State.COMPLETED, State.REFUNDED})
_LOCKED = Compiled(lambda: Review.objects.select_for_update(no_key=True).filter(pk=Param("id")))


def review_resolve(
    *,
    review_id: int,
    resolution: str,
    note: str,
    by: Account,
    payment_id: UUID | None = None,
) -> Review:
    """Answer an open question.

    settled: accept the money for the payment (for an unknown invoice, the one named here); a job asks
    the provider once more, completes the payment and closes the question. refunded, kept: close it, and
    end an order that waits for just this money. Raises NotFound, InputInvalid, ReviewResolved,
    ReviewNotSettleable.
    Repeat: settling that is under way is joined. Locks: the payment, then the question.
    """
    note = note.strip()
    if not note or len(note) > NOTE_LIMIT:
        raise InputInvalid(f"say why, in at most {NOTE_LIMIT} characters")
    if resolution not in (SETTLED, *CLOSING):
        raise InputInvalid(f"resolution must be one of {', '.join((SETTLED, *CLOSING))}")
    with transaction.atomic():
        row = _open(review_id)
        if resolution == SETTLED:
            return _settle_by_job(row, payment_id, note, by)
        return _close(row, resolution, note, by)


def _open(review_id: int, held: UUID | None = None) -> Review:
    """The question; its payment, unless `held`, is locked before. Raises NotFound, ReviewResolved."""
    found = rows_of("SELECT payment_id FROM payment_review WHERE id = %(id)s", {"id": review_id})
    for (payment_id,) in found:
        if payment_id not in {None, held}:
            payment_lock(payment_id)
    row = _LOCKED.one(id=review_id)
    if row is None:
        raise NotFound(f"there is no question {review_id}")
    if row.resolved_at is not None:
        words = RESOLUTIONS.get(row.resolution, row.resolution)
        raise ReviewResolved(f"answered already: {words}")
    return row


def _settle_by_job(row: Review, payment_id: UUID | None, note: str, by: Account) -> Review:
    target, number = _target(row, payment_id), invoice_of(row)
    if number is None:
        raise ReviewNotSettleable("it is about no invoice that was paid")
    payment = Payment.objects.filter(pk=target).first() if target else None
    if payment is None:
        raise ReviewNotSettleable("name the payment that this money is for")
    if payment.state in _PAID:
        raise ReviewNotSettleable(
            f"the payment is {payment.state} already; give the money back or keep it"
        )
    holder = Payment.objects.filter(external_id=str(number)).exclude(pk=payment.pk).first()
    if holder is not None:
        raise ReviewNotSettleable(f"this invoice belongs to payment {holder.pk}")
    kind_get("payments.settle_review").enqueue(
        review_id=row.pk,
        payment_id=payment.pk,
        invoice_id=number,
        note=note,
        account_id=getattr(by, "pk", None),
        unique=("payments.settle_review", row.pk),
    )
    audit_write(
        by, "payments.settle", REVIEW, row.pk, payment=str(payment.pk), invoice=number, note=note
    )
    return row


def _target(row: Review, payment_id: UUID | None) -> UUID | None:
    if row.payment_id is None:
        return payment_id
    if payment_id not in {None, row.payment_id}:
        raise ReviewNotSettleable("this money is for another payment")
    return row.payment_id


def invoice_of(row: Review) -> int | None:
    """The number of the invoice that was paid, if the question is about one."""
    number = str(row.facts.get("came", {}).get("invoice", ""))
    return int(number) if number.isdigit() else None


def review_settle(
    *, review_id: int, payment_id: UUID, invoice_id: int, note: str, by: Account
) -> Outcome:
    """Complete the payment by a person's word, if the provider says that the invoice is paid."""
    invoice = gate.invoice_read(invoice_id)
    if invoice is None or not invoice.is_paid:
        said = "does not know it" if invoice is None else f"says {invoice.status}"
        return Cancel(f"Crypto Pay {said}; nothing was changed")
    with transaction.atomic():
        payment = payment_lock(payment_id)
        try:
            row = _open(review_id, payment.pk)
        except ReviewResolved as exc:
            return Cancel(exc.message)
        if payment.state not in _PAID:
            payment_accept(payment, invoice, by=by)
        elif payment.external_id != str(invoice_id):
            return Cancel("the payment was completed by another invoice; the question stays open")
        if row.payment_id is None:
            row.payment = payment
        _close(row, SETTLED, note, by)
    return Done({"payment": str(payment_id), "invoice": invoice_id})


def _close(row: Review, resolution: str, note: str, by: Account) -> Review:
    row.resolved_at, row.resolution = clock.now(), resolution
    row.note, row.resolved_by = note, name_of(by)
    row.save(update_fields=["resolved_at", "resolution", "note", "resolved_by", "payment"])
    if row.payment_id is not None:
        said = {"resolution": RESOLUTIONS[resolution], "note": note}
        event_write(row.payment_id, "review_closed", data=said, by=by)
        if resolution in CLOSING:
            _decline(row, by)
    audit_write(by, "payments.resolve", REVIEW, row.pk, resolution=resolution, note=note)
    return row


def _decline(row: Review, by: Account) -> None:
    """An order whose own money is not taken is over: the provider is not asked about it for ever."""
    payment = payment_lock(row.payment_id) if row.payment_id else None
    if payment is None or payment.state not in OPEN:
        return
    if payment.external_id != str(invoice_of(row)):
        return
    now = clock.now()
    payment.state, payment.failed_at, payment.failure = State.FAILED, now, "declined"
    payment.updated_at = now
    payment.save(update_fields=["state", "failed_at", "failure", "updated_at"])
    event_write(payment.pk, "failed", data={"reason": failure_say("declined")}, by=by)
