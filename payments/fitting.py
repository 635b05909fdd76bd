"""Whether a paid invoice fits its order: pure comparisons of exact decimals. No query but one."""

from decimal import Decimal
from typing import Any

from payments.models import CurrencyType, Payment, ReviewReason, State
from payments.providers.cryptobot.types import Invoice
from payments.words import amount_say

# A price in a fiat is paid in a coin at a rate that the provider rounds: 15 / 0.9987 USDT.
RATE_SLACK = Decimal("0.01")
_GIVEN_UP = "given_up"


def misfit(payment: Payment, invoice: Invoice) -> ReviewReason | None:
    """What of a paid invoice is not what was ordered; None if all of it is.

    Source: Crypto Pay API 1.5.2, contract section 5: compare currency, amount and payload.
    """
    if invoice.payload != str(payment.pk):
        return ReviewReason.OTHER_ORDER
    if invoice.currency_type != payment.currency_type or invoice.currency != payment.currency:
        return ReviewReason.OTHER_ASSET
    if invoice.amount != payment.amount:
        return ReviewReason.UNDER if invoice.amount < payment.amount else ReviewReason.OVER
    if payment.currency_type == CurrencyType.CRYPTO:
        return _misfit_of_coins(payment, invoice)
    return _misfit_of_fiat(payment, invoice)


def _misfit_of_coins(payment: Payment, invoice: Invoice) -> ReviewReason | None:
    # paid_* is documented for prices in a fiat only, but seen for coins, too.
    if invoice.paid_asset is not None and invoice.paid_asset != payment.currency:
        return ReviewReason.OTHER_ASSET
    return _compared(paid_amount(invoice), payment.amount, Decimal(0))


def _misfit_of_fiat(payment: Payment, invoice: Invoice) -> ReviewReason | None:
    accepted = payment.accepted_assets
    if accepted and invoice.paid_asset is not None and invoice.paid_asset not in accepted:
        return ReviewReason.OTHER_ASSET
    if invoice.paid_amount is None or invoice.paid_fiat_rate is None:
        return None  # the amount of the invoice is right, and the provider calls it paid
    worth = invoice.paid_amount * invoice.paid_fiat_rate
    return _compared(worth, payment.amount, payment.amount * RATE_SLACK)


def _compared(came: Decimal, asked: Decimal, slack: Decimal) -> ReviewReason | None:
    if came < asked - slack:
        return ReviewReason.UNDER
    return ReviewReason.OVER if came > asked + slack else None


def lateness(payment: Payment) -> ReviewReason | None:
    """Why money that came after the end needs a person: somebody gave it up, or was paid instead.

    What merely ran out of time is honoured.
    """
    if payment.state != State.FAILED:
        return None
    if payment.failure == _GIVEN_UP:
        return ReviewReason.LATE
    # The same person has paid another order since: a second period, or one too many?
    mine = {"subscriber_id": payment.subscriber_id}
    if payment.subscriber_id is None:
        mine = {"telegram_id": payment.telegram_id}
    if None in mine.values() or payment.failed_at is None:
        return None
    since = Payment.objects.filter(
        **mine, state=State.COMPLETED, completed_at__gte=payment.failed_at, pk__gt=payment.pk
    )
    return ReviewReason.TWICE if since.exists() else None


def paid_amount(invoice: Invoice) -> Decimal:
    """What was paid, in the asset that was paid; the price itself if the provider does not say."""
    return invoice.amount if invoice.paid_amount is None else invoice.paid_amount


def facts(payment: Payment | None, invoice: Invoice) -> dict[str, Any]:
    """What was expected and what came, for a person who has to decide. Amounts as texts."""
    came = {
        "invoice": str(invoice.invoice_id),
        "payload": invoice.payload[:100],
        "price": f"{amount_say(invoice.amount)} {invoice.currency}",
        "paid": f"{amount_say(paid_amount(invoice))} {invoice.paid_asset or invoice.currency}",
        "paid_at": f"{invoice.paid_at:%Y-%m-%d %H:%M:%S} UTC" if invoice.paid_at else "",
        "status": str(invoice.status),
    }
    if payment is None:
        return {"came": came}
    expected = {
        "invoice": payment.external_id or "",
        "payload": str(payment.pk),
        "price": f"{amount_say(payment.amount)} {payment.currency}",
        "paid": _due(payment),
        "accepted": ", ".join(payment.accepted_assets),
        "state": payment.state,
    }
    return {"expected": expected, "came": came}


def _due(payment: Payment) -> str:
    price = f"{amount_say(payment.amount)} {payment.currency}"
    return price if payment.currency_type == CurrencyType.CRYPTO else f"worth {price}"
