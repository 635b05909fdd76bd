"""What of the payments needs a person now, for the first page of the console."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse

from lib import clock
from lib.now import Attention, Severity, attention
from payments.intake.health import is_mounted
from payments.intake.sources import sources
from payments.models import IncomingWebhook, Intake, Payment, Review, State

MOST = 1000  # rows are counted no further
STUCK = timedelta(minutes=15)  # an order without an invoice


@attention(order=5, permission="payments.view_review")
def open_questions() -> Attention:
    """Money that does not fit its order."""
    count = Review.objects.filter(resolved_at=None)[:MOST].count()
    return Attention(
        "open question about money" if count == 1 else "open questions about money",
        count,
        Severity.CRITICAL,
        reverse("admin:payments_review_changelist"),
        "Somebody paid, and it does not fit. See what was expected and what came, then decide.",
        runbook="payment_reviews",
    )


@attention(order=6, permission="payments.view_incomingwebhook")
def failed_webhooks() -> Iterator[Attention]:
    """Deliveries that were given up, or cannot be proved."""
    home = reverse("admin:payments_incomingwebhook_changelist")
    count = IncomingWebhook.objects.filter(state=Intake.FAILED)[:MOST].count()
    yield Attention(
        "incoming webhook given up" if count == 1 else "incoming webhooks given up",
        count,
        Severity.CRITICAL,
        f"{home}?state=failed",
        "They could not be processed. See why, then replay them.",
        runbook="payment_webhooks",
    )
    unproved = IncomingWebhook.objects.filter(state=Intake.RECEIVED, is_valid=False)
    count = unproved[:MOST].count()
    yield Attention(
        "webhook that cannot be proved" if count == 1 else "webhooks that cannot be proved",
        count,
        Severity.CRITICAL,
        f"{home}?state=received",
        "The secret of their source is not set. Set it; they are processed by themselves then.",
        runbook="payment_webhooks",
    )
    closed = [source.title for source in sources() if not is_mounted(source)]
    yield Attention(
        "webhook door not mounted" if len(closed) == 1 else "webhook doors not mounted",
        len(closed),
        Severity.CRITICAL,
        home,
        f"No address leads to {', '.join(closed)}; what they send is lost.",
        runbook="payment_webhooks_missing",
    )


@attention(order=7, permission="payments.view_payment")
def stuck_orders() -> Attention:
    """Orders that wait for an invoice for too long."""
    waiting = Payment.objects.filter(state=State.CREATED, created_at__lt=clock.now() - STUCK)
    count = waiting[:MOST].count()
    return Attention(
        "order without an invoice" if count == 1 else "orders without an invoice",
        count,
        Severity.WARNING,
        f"{reverse('admin:payments_payment_changelist')}?state=created",
        "Their payers cannot pay. See why Crypto Pay makes no invoice, then try again.",
        runbook="payment_failures",
    )
