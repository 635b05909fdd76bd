"""Telling the payer that it did not work, in the language of the payer, once."""

from django.conf import settings

from notifications.telegram.services import message_queue
from notifications.telegram.templates import LANGUAGES, render
from payments.models import Payment
from payments.story import Line

FAILED = "payment_failed"


def language_of(payment: Payment) -> str:
    """The language of ours that the payer reads; English if it is none of them."""
    wanted = payment.language.lower().partition("-")[0]
    return wanted if wanted in LANGUAGES else "en"


def failure_tell(payment: Payment) -> Line:
    """Queue the message, in the transaction of the caller. One per payment, however often called.

    Nobody is told of an order for which there never was an invoice to pay. Gives the line of the story
    that says so, for the caller to write.
    """
    if payment.telegram_id is None:
        return Line("not_told", {"reason": "no Telegram id is known"})
    if payment.external_id is None and payment.failure != "refused":
        return Line("not_told", {"reason": "there was no invoice to pay"})
    message_queue(
        telegram_id=payment.telegram_id,
        message=render(
            FAILED,
            language_of(payment),
            amount=(payment.amount, payment.currency),
            plan=payment.plan_title,
            reason="refused" if payment.failure == "refused" else "expired",
            pay_url=settings.RENEW_URL or None,  # its own invoice is over
            support=settings.SUPPORT_CONTACT or None,
        ),
        notification_type=FAILED,
        priority=1,
        dedup_key=f"{FAILED}:{payment.pk}",
    )
    return Line("told_failed", {})
