"""What the apps below announce becomes lines of the feed, in the transaction of what happened."""

from typing import Any

from django.dispatch import receiver
from django.urls import reverse

from monitoring.dashboard.events import event_note
from payments.events import payment_completed, payment_failed, payment_refunded
from payments.models import Payment
from payments.words import amount_say, failure_say


@receiver(payment_completed, dispatch_uid="dashboard.payment_completed")
def on_completed(*, payment: Payment, **_: Any) -> None:
    """Somebody paid."""
    event_note("payment_completed", f"Paid: {_what(payment)}", _link(payment))


@receiver(payment_refunded, dispatch_uid="dashboard.payment_refunded")
def on_refunded(*, payment: Payment, **_: Any) -> None:
    """Money went back."""
    event_note("payment_refunded", f"Refunded: {_what(payment)}", _link(payment), "warning")


@receiver(payment_failed, dispatch_uid="dashboard.payment_failed")
def on_failed(*, payment: Payment, reason: str, **_: Any) -> None:
    """An invoice that nobody paid is nothing to see; that the provider refuses is."""
    if reason != "expired":
        title = f"Payment refused: {_what(payment)}, {failure_say(payment.failure or reason)}"
        event_note("payment_failed", title, _link(payment), "warning")


def _what(payment: Payment) -> str:
    return f"{payment.plan_title}, {amount_say(payment.amount)} {payment.currency}"


def _link(payment: Payment) -> str:
    return reverse("admin:payments_payment_change", args=[payment.pk])
