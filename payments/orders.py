"""Orders: the row that is there before anybody is asked for money."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs.audit import Account
from lib import clock
from payments.errors import OrderDiffers, OrderInvalid, ProviderOff
from payments.models import CurrencyType, Payment, Purpose
from payments.story import Line, name_of
from payments.tasks import make_invoice
from payments.words import amount_say
from payments.writing import order_write

LEAST_LIFE = timedelta(minutes=1)
_DECIMALS = 12
_DIGITS = 18  # before the point
# What a repeat under the same key must say again.
_TERMS = (
    "subscriber_id", "telegram_id", "plan_code", "period_days", "currency_type", "currency", "amount",
    "purpose",
)  # fmt: skip


def order_create(
    *,
    subscriber_id: int | None,
    telegram_id: int | None,
    language: str,
    plan_code: str,
    plan_title: str,
    period_days: int,
    currency_type: CurrencyType | str,
    currency: str,
    amount: Decimal,
    accepted_assets: Sequence[str] = (),
    purpose: Purpose | str = Purpose.RENEWAL,
    expires_in: timedelta | None = None,
    by: Account = None,
    key: str | None = None,
) -> Payment:
    """Write an order, and have its invoice made by a job of the same transaction.

    amount stands in currency: a coin, or a fiat for which accepted_assets (all if empty) are taken.
    expires_in: how long the invoice can be paid, INVOICE_TTL if None.
    Repeat: with a key a second call finds the first order, whatever became of it; OrderDiffers if it
    was about something else. Raises OrderInvalid, ProviderOff.
    """
    if not settings.CRYPTOBOT_ENABLED:
        raise ProviderOff
    order = Payment(
        subscriber_id=subscriber_id,
        telegram_id=telegram_id,
        language=language[:8],
        plan_code=plan_code,
        plan_title=plan_title,
        period_days=period_days,
        currency_type=CurrencyType(currency_type),
        currency=currency.strip().upper(),
        amount=amount,
        accepted_assets=[asset.strip().upper() for asset in accepted_assets],
        purpose=Purpose(purpose),
        order_key=key,
        created_by=name_of(by),
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    _check(order, expires_in)
    # What is refused is refused before or behind: there is nothing for a savepoint to keep.
    with transaction.atomic(savepoint=False):
        is_new = order_write(order, Line("ordered", _said(order), by))
        if is_new:
            make_invoice.enqueue(
                payment_id=order.pk,
                expires_in_s=None if expires_in is None else int(expires_in.total_seconds()),
                unique=("payments.make_invoice", order.pk),
            )
    return order if is_new else _same(Payment.objects.get(order_key=key), order)


def _check(order: Payment, expires_in: timedelta | None) -> None:
    amount: Any = order.amount
    if not isinstance(amount, Decimal):
        raise OrderInvalid("the amount must be a Decimal")
    if not amount.is_finite() or amount <= 0 or amount.adjusted() >= _DIGITS:
        raise OrderInvalid("the amount must be above 0, with at most 18 digits before the point")
    if amount != amount.quantize(Decimal(1).scaleb(-_DECIMALS)):
        raise OrderInvalid(f"the amount has more than {_DECIMALS} digits behind the point")
    if order.period_days < 1:
        raise OrderInvalid("the period has at least one day")
    if not order.currency or len(order.currency) > 12:
        raise OrderInvalid("the currency must be the code of a coin or of a fiat")
    if order.accepted_assets and order.currency_type == CurrencyType.CRYPTO:
        raise OrderInvalid("accepted assets go with a price in a fiat only")
    if expires_in is not None and not LEAST_LIFE <= expires_in <= settings.INVOICE_TTL:
        raise OrderInvalid("an invoice can be paid for a minute at least and INVOICE_TTL at most")


def _same(found: Payment, order: Payment) -> Payment:
    differing = [name for name in _TERMS if getattr(found, name) != getattr(order, name)]
    if differing:
        raise OrderDiffers(f"the order {found.pk} under this key differs in {', '.join(differing)}")
    return found


def _said(order: Payment) -> dict[str, Any]:
    return {
        "plan": order.plan_title,
        "days": order.period_days,
        "amount": amount_say(order.amount),
        "currency": order.currency,
        "purpose": str(order.purpose),
    }
