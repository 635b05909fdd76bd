"""Asking the provider how it stands: one payment by hand, all open ones by the clock.

The provider's answer is read first, then each payment is settled in a transaction of its own, so that
one that cannot be settled holds up no other.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from jobs.alerts import attention
from jobs.audit import Account
from jobs.compiled import rows_of
from jobs.context import current_job
from jobs.outcomes import Cancel, Done, Outcome
from lib import clock
from payments.errors import PaymentNotOpen
from payments.invoicing import invoice_record
from payments.models import CurrencyType, FoundBy, Payment, ReviewReason, State
from payments.pages import page_due, page_looked
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.client import IDS_LIMIT
from payments.providers.cryptobot.errors import CryptoPayRefused
from payments.providers.cryptobot.types import Invoice, InvoiceStatus
from payments.questions import question_open
from payments.settling import OPEN, payment_fail, payment_settle
from payments.story import event_write
from payments.watching import hook_watch

LONGEST_OPEN = timedelta(hours=24)
# The provider ends an invoice itself; only what it forgot is ended by us.
GRACE = timedelta(minutes=10)
CREATED_PACK = 500
_OVER = """
SELECT id FROM payment WHERE state = 'created' AND created_at < %(before)s
ORDER BY id LIMIT %(most)s
"""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Looked:
    """What a look at the open payments came to."""

    checked: int = 0
    completed: int = 0
    failed: int = 0
    missing: int = 0
    errors: int = 0


def payment_look(payment_id: UUID, *, by: Account = None) -> Outcome:
    """Ask about one payment now and act on the answer; for a person who wants to know.

    Also for one that failed: it may have been paid after all. Without an invoice, one that an earlier
    try may have made is looked for. by: nobody, if a comparison of ours has asked.
    """
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None:
        return Cancel("there is no such payment")
    if payment.external_id is None:
        return _look_for(payment)
    invoice = gate.invoice_read(int(payment.external_id))
    status = "not known any more" if invoice is None else str(invoice.status)
    event_write(
        payment.pk, "checked", data={"invoice": payment.external_id, "status": status}, by=by
    )
    found_by = FoundBy.POLL if by is None else FoundBy.OPERATOR
    _act(payment, invoice, found_by, clock.now(), Looked())
    return Done({"status": status})


def _look_for(payment: Payment) -> Outcome:
    if payment.state != State.CREATED:
        return Cancel("it never had an invoice")
    is_fiat = payment.currency_type == CurrencyType.FIAT
    invoice = gate.invoice_find(
        str(payment.pk),
        fiat=payment.currency if is_fiat else None,
        asset=None if is_fiat else payment.currency,
    )
    if invoice is None:
        return Done({"status": "no invoice"})
    return invoice_record(payment.pk, invoice, was_found=True)


def payments_look() -> Looked:
    """Ask about all open payments, those first that were asked about longest ago, in packs of ids.

    Paid: settled. Expired at the provider, or open for more than a day: failed and told; before that
    the invoice is deleted, so that nobody can pay it any more. Missing: a Review.
    Raises what the provider raises; what was done until then stays done, and the next run goes on
    where this one stopped.
    """
    began, looked, job = clock.now(), Looked(), current_job()
    _orders_end(began, looked)
    while page := page_due(began, IDS_LIMIT):
        if job is not None:
            job.check()
        found = gate.invoices_read([int(each.external_id or 0) for each in page])
        idle = page_looked(page, found, began)
        for each in page:
            if each.pk not in idle:
                _act_safely(each, found.get(int(each.external_id or 0)), began, looked)
        looked.checked += len(page)
        if job is not None:
            job.report(done=looked.checked, completed=looked.completed)
        if len(page) < IDS_LIMIT:
            break
    hook_watch()
    if looked.errors:
        attention(
            group="payments.verify_pending",
            title="Payments could not be settled",
            text=f"{looked.errors} of {looked.checked} open payments; the log has the reasons.",
            severity="critical",
            link="/admin/payments/payment/?state=pending",
        )
    return looked


def _act_safely(payment: Payment, invoice: Invoice | None, began: datetime, looked: Looked) -> None:
    try:
        _act(payment, invoice, FoundBy.POLL, began, looked)
    except Exception:
        looked.errors += 1
        logger.exception("payment %s cannot be settled", payment.pk)


def _act(
    payment: Payment, invoice: Invoice | None, found_by: FoundBy, now: datetime, looked: Looked
) -> None:
    """What follows from the answer about one payment."""
    if invoice is None:
        _missing(payment, now, looked)
    elif invoice.is_paid:
        was_done = payment.state == State.COMPLETED
        settled = payment_settle(payment_id=payment.pk, invoice=invoice, found_by=found_by)
        looked.completed += settled.state == State.COMPLETED and not was_done
    elif payment.state not in OPEN:
        return
    elif invoice.status == InvoiceStatus.EXPIRED:
        _fail(payment, looked)
    elif _is_over(payment, now):
        _end(payment, looked)


def _is_over(payment: Payment, now: datetime) -> bool:
    """Whether its invoice is open for longer than any may be."""
    return now - (payment.invoiced_at or payment.created_at) > LONGEST_OPEN + GRACE


def _missing(payment: Payment, now: datetime, looked: Looked) -> None:
    looked.missing += 1
    if payment.state not in OPEN:
        return
    question_open(
        payment=payment,
        key=f"payment:{payment.pk}",
        reason=ReviewReason.INVOICE_GONE,
        facts={
            "expected": {"invoice": payment.external_id or ""},
            "note": "Crypto Pay does not know the invoice any more: deleted there, or another app.",
        },
    )
    if _is_over(payment, now):
        _fail(payment, looked)


def _end(payment: Payment, looked: Looked) -> None:
    """Open for too long: delete the invoice first. Refused: it changed just now; the next run sees."""
    try:
        gate.invoice_delete(int(payment.external_id or 0))
    except CryptoPayRefused as exc:
        logger.warning("invoice %s cannot be deleted: %s", payment.external_id, exc)
        return
    _fail(payment, looked)


def _fail(payment: Payment, looked: Looked) -> None:
    try:
        payment_fail(payment_id=payment.pk, reason="expired")
    except PaymentNotOpen:  # completed while we asked
        return
    looked.failed += 1


def _orders_end(now: datetime, looked: Looked) -> None:
    """Fail orders for which no invoice could be made within a day. Nobody can have paid them."""
    for (payment_id,) in rows_of(
        _OVER, {"before": now - LONGEST_OPEN - GRACE, "most": CREATED_PACK}
    ):
        try:
            payment_fail(payment_id=payment_id, reason="no_invoice")
            looked.failed += 1
        except PaymentNotOpen:
            logger.info("payment %s got its invoice just now", payment_id)


def looked_say(looked: Looked) -> dict[str, int]:
    """The numbers as JSON."""
    return asdict(looked)
