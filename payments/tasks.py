"""The jobs of payments. Those that wait for the provider run in threads; none holds a transaction."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model

from jobs.audit import Account
from jobs.ladders import CLEANUP, PAYMENTS, REPORTS, Delays
from jobs.models import Priority
from jobs.outcomes import Outcome, Snooze
from jobs.registry import job
from payments.earning import days_compute
from payments.intake.processing import intake_process
from payments.intake.retrying import webhooks_retry
from payments.invoicing import invoice_make, spare_delete
from payments.looking import looked_say, payment_look, payments_look
from payments.providers.cryptobot.errors import CryptoPayBusy
from payments.reviewing import review_settle

QUEUE = "notifications"  # its workers have threads, for what waits for the network


@job(
    "payments.make_invoice",
    queue=QUEUE,
    priority=Priority.HIGH,
    retry=PAYMENTS,
    critical=True,
)
def make_invoice(payment_id: UUID, expires_in_s: int | None = None) -> Outcome:
    """Have Crypto Pay make the invoice of an order, once."""
    span = None if expires_in_s is None else timedelta(seconds=expires_in_s)
    try:
        return invoice_make(_uuid(payment_id), span)
    except CryptoPayBusy as exc:
        return _busy(exc)


@job("payments.delete_invoice", queue=QUEUE, retry=PAYMENTS)
def delete_invoice(invoice_id: int) -> Outcome:
    """Delete an invoice at Crypto Pay that nobody shall pay any more."""
    try:
        return spare_delete(invoice_id)
    except CryptoPayBusy as exc:
        return _busy(exc)


@job(
    "payments.process_webhook",
    queue=QUEUE,
    priority=Priority.CRITICAL,
    retry=PAYMENTS,
    critical=True,
    concurrency=settings.CRYPTOBOT_CONCURRENCY,
)
def process_webhook(webhook_id: int) -> Outcome:
    """Process what Crypto Pay has sent."""
    return intake_process(webhook_id)


@job("payments.check_invoice", queue=QUEUE, priority=Priority.HIGH, retry=Delays("10s 30s"))
def check_invoice(payment_id: UUID, account_id: int | None = None) -> Outcome:
    """Ask Crypto Pay about one payment, because a person wants to know."""
    try:
        return payment_look(_uuid(payment_id), by=account_of(account_id))
    except CryptoPayBusy as exc:
        return _busy(exc)


@job(
    "payments.settle_review",
    queue=QUEUE,
    priority=Priority.HIGH,
    retry=PAYMENTS,
    critical=True,
)
def settle_review(
    review_id: int, payment_id: UUID, invoice_id: int, note: str, account_id: int | None = None
) -> Outcome:
    """Complete a payment that a person accepts, if Crypto Pay says that it is paid."""
    try:
        return review_settle(
            review_id=review_id,
            payment_id=_uuid(payment_id),
            invoice_id=invoice_id,
            note=note,
            by=account_of(account_id),
        )
    except CryptoPayBusy as exc:
        return _busy(exc)


@job(
    "payments.verify_pending",
    queue=QUEUE,
    every="5m",
    single=True,
    timeout="20m",
    retry=Delays("30s 1m 2m"),
)
def verify_pending() -> Outcome | dict[str, Any]:
    """Ask Crypto Pay about all open payments: settle what is paid, end what is over."""
    try:
        return looked_say(payments_look())
    except CryptoPayBusy as exc:
        return _busy(exc)


@job("payments.retry_webhooks", queue="maintenance", every="30m", single=True, retry=CLEANUP)
def retry_webhooks() -> dict[str, int]:
    """Process again what came in and is not done; give up after 3 tries or 24 hours, and tell."""
    return webhooks_retry()


@job(
    "payments.compute_financial_stats",
    queue="maintenance",
    cron="30 0 * * *",
    single=True,
    retry=REPORTS,
    timeout="10m",
)
def compute_financial_stats() -> dict[str, int]:
    """Add up what each day that is over has earned, also days that were missed."""
    return days_compute()


def account_of(account_id: int | None) -> Account:
    """The person who asked for a job."""
    if account_id is None:
        return None
    return get_user_model().objects.filter(pk=account_id).first()


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _busy(exc: CryptoPayBusy) -> Outcome:
    """Asked to wait: no try is spent. Without a time of its own it is a failure like others."""
    if exc.retry_after is None:
        raise exc
    return Snooze(exc.retry_after, "Crypto Pay asks to wait")
