"""Telling the payer that it did not work, in the language of the payer, once."""

from django.conf import settings

from notifications.telegram.services import message_queue
from notifications.telegram.templates import LANGUAGES, render
from payments.models import Payment
from payments.story import event_write

FAILED = "payment_failed"


def language_of(payment: Payment) -> str:
    """The language of ours that the payer reads; English if it is none of them."""
    wanted = payment.language.lower().partition("-")[0]
    return wanted if wanted in LANGUAGES else "en"


def failure_tell(payment: Payment) -> None:
    """Queue the message, in the transaction of the caller. One per payment, however often called.

    Nobody is told of an order for which there never was an invoice to pay.
    """
    if payment.telegram_id is None:
        event_write(payment.pk, "not_told", data={"reason": "no Telegram id is known"})
        return
    if payment.external_id is None and payment.failure != "refused":
        event_write(payment.pk, "not_told", data={"reason": "there was no invoice to pay"})
        return
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
    event_write(payment.pk, "told_failed")
