"""What payments announce becomes rows of ours, in the transaction of what happened."""

from typing import Any

from django.dispatch import receiver

from payments.events import invoice_made, payment_completed, payment_refunded
from payments.models import Payment, Purpose
from subscriptions.activation.begin import activation_begin
from subscriptions.activation.rows import activation_refunded
from subscriptions.activation.tasks import tell_invoice
from subscriptions.story import event_write


@receiver(payment_completed, dispatch_uid="subscriptions.activate")
def on_completed(*, payment: Payment, **_: Any) -> None:
    """Paid: access follows, or somebody is told why not."""
    activation_begin(payment)


@receiver(invoice_made, dispatch_uid="subscriptions.tell_invoice")
def on_invoice(*, payment: Payment, **_: Any) -> None:
    """An invoice of auto-renewal is of use to those only who get its link."""
    if payment.purpose == Purpose.AUTO_RENEWAL:
        tell_invoice.enqueue(payment_id=payment.pk, unique=payment.pk)


@receiver(payment_refunded, dispatch_uid="subscriptions.refunded")
def on_refunded(*, payment: Payment, **_: Any) -> None:
    """Money went back: what was not served yet is not served; what was is decided by a person."""
    activation_refunded(payment.pk)
    if payment.subscriber_id is not None:
        event_write(payment.subscriber_id, "payment_refunded", "payment", payment_id=payment.pk)
