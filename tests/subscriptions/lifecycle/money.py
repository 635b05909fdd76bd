"""Payments and activations for tests, as rows of their owners."""

from decimal import Decimal
from typing import Any

from lib import clock
from payments.models import Payment
from subscriptions.models import Activation, Subscriber


def payment_make(row: Subscriber, **fields: Any) -> Payment:
    """A completed payment of somebody."""
    now = clock.now()
    return Payment.objects.create(
        **{
            "external_id": f"inv-{row.pk}-{Payment.objects.count()}",
            "state": "completed",
            "subscriber_id": row.pk,
            "telegram_id": row.telegram_id,
            "plan_code": "standard",
            "plan_title": "Standard, 1 month",
            "period_days": 30,
            "currency_type": "crypto",
            "currency": "USDT",
            "amount": Decimal("5"),
            "paid_at": now,
            "completed_at": now,
            **fields,
        }
    )


def activation_make(row: Subscriber, state: str = "pending", **fields: Any) -> Activation:
    """What such a payment gives."""
    return Activation.objects.create(
        payment=payment_make(row), subscriber=row, days=30, state=state, **fields
    )
