"""The jobs of activation: access for who paid, and invoices for who wants to be renewed."""

from uuid import UUID

from django.conf import settings

from jobs.context import current_job
from jobs.ladders import PAYMENTS, SUBSCRIPTIONS
from jobs.models import Priority
from jobs.outcomes import Outcome
from jobs.registry import job
from lib import clock
from subscriptions.access.checking import access_check
from subscriptions.activation.begin import ACTIVATE, CHECK
from subscriptions.activation.renewals import (
    PACK,
    Tally,
    invoice_tell,
    renewal_follow,
    renewal_make,
    renewals_due,
    renewals_lapsed,
)
from subscriptions.activation.run import activation_run

QUEUE = "notifications"  # threads: a customer waits for the network beside others, not behind them


@job(ACTIVATE, queue=QUEUE, priority=Priority.CRITICAL, retry=PAYMENTS, timeout="3m")
def activate(activation_id: int) -> Outcome:
    """Give the access that a payment has bought, and tell the customer."""
    context = current_job()
    is_last = context is None or context.attempt >= context.max_attempts
    return activation_run(activation_id, is_last=is_last)


@job(CHECK, queue=QUEUE, priority=Priority.HIGH, retry=SUBSCRIPTIONS, timeout="3m")
def check_access(activation_id: int) -> dict[str, str]:
    """A minute after a payment: is he served? If not, tell him that it comes, and the admins."""
    return {"found": access_check(activation_id)}


@job("subscriptions.tell_invoice", queue=QUEUE, priority=Priority.HIGH, retry=SUBSCRIPTIONS)
def tell_invoice(payment_id: UUID) -> dict[str, str]:
    """Send the link of an invoice that auto-renewal made."""
    return {"found": invoice_tell(payment_id)}


@job("subscriptions.auto_renew", every="30m", retry=SUBSCRIPTIONS, timeout="25m", single=True)
def auto_renew() -> dict[str, int]:
    """Make invoices for those who want to be renewed and whose time ends within the hour."""
    if not settings.CRYPTOBOT_ENABLED:  # who ends meanwhile is made up for, six hours back
        return {"off": 1}
    context, tally, now = current_job(), Tally(), clock.now()
    while due := list(renewals_due(now).values_list("pk", "expire_at")[:PACK]):
        for subscriber_id, expire_at in due:
            renewal_make(subscriber_id, expire_at, tally)
        if context is not None:
            context.report(tally.invoiced + tally.skipped)
            context.check()
    after = 0
    while lapsed := list(
        renewals_lapsed(now).filter(pk__gt=after).values_list("pk", flat=True)[:PACK]
    ):
        for renewal_id in lapsed:
            renewal_follow(renewal_id, tally)
        after = lapsed[-1]
        if context is not None:
            context.check()
    return {"invoiced": tally.invoiced, "again": tally.again, "skipped": tally.skipped}
