"""Who buys, in tests: plans with prices, people in panel and mirror, payments that were just paid."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from lib import clock
from notifications.telegram.models import QueuedMessage
from payments.models import Payment, State
from payments.providers.cryptobot.types import CurrencyType, Invoice, InvoiceStatus
from payments.services import payment_settle
from subscriptions.activation.plans import plan_create, price_set
from subscriptions.mirror.owners import columns_of
from subscriptions.models import Activation, Plan, Subscriber
from subscriptions.panel import door
from tests.sandbox.remnawave.hand import PanelHand

CHAT = 500_000_001
_numbers = count(1)


def plan_make(code: str = "standard", **fields: Any) -> Plan:
    """A month for 5 USDT; the same one for the same code."""
    found = Plan.objects.filter(code=code).first()
    if found is not None:
        return found
    given = {"title": "Standard, 1 month", "title_ru": "Стандарт, 1 месяц", "period_days": 30}
    plan = plan_create(code=code, **{**given, **fields})
    price_set(plan_id=plan.pk, currency_type="crypto", currency="USDT", amount=Decimal(5))
    return plan


def row_make(number: int, **fields: Any) -> Subscriber:
    """A row of the mirror, without anybody in a panel."""
    given = {
        "panel_id": number,
        "username": f"buyer_{number}",
        "status": "ACTIVE",
        "expire_at": to_ms(clock.now() + timedelta(days=1)),
        "telegram_id": CHAT,
        "language": "en",
    }
    return Subscriber.objects.create(**{**given, **fields})


def person_make(
    panel: PanelHand, *, ends_in: timedelta = timedelta(days=1), **more: Any
) -> Subscriber:
    """Somebody in the panel, and in the mirror as the panel has him. more: of the panel, or of ours."""
    ours = {name: more.pop(name) for name in list(more) if name in _OURS}
    user = panel.add(
        **{
            "username": f"person_{next(_numbers)}",
            "expireAt": (clock.now() + ends_in).isoformat(),
            "telegramId": CHAT,
            **more,
        }
    )
    seen = door.panel().user(user["id"])
    return Subscriber.objects.create(**columns_of(seen), **ours)


_OURS = {
    "plan", "auto_renew", "renew_currency", "language", "cut_by", "cut_reason", "cut_at",
}  # fmt: skip


def order_open(subscriber: Subscriber | None, plan: Plan | None = None, **fields: Any) -> Payment:
    """An order whose invoice is open."""
    plan = plan or plan_make()
    number = next(_numbers)
    given: dict[str, Any] = {
        "external_id": str(700_000 + number),
        "state": State.PENDING,
        "subscriber_id": subscriber.pk if subscriber else None,
        "telegram_id": subscriber.telegram_id if subscriber else CHAT,
        "language": "en",
        "plan_code": plan.code,
        "plan_title": plan.title,
        "period_days": plan.period_days,
        "currency_type": "crypto",
        "currency": "USDT",
        "amount": Decimal(5),
        "pay_url": f"https://pay.example/{number}",
        "created_at": clock.now(),
    }
    return Payment.objects.create(**{**given, **fields})


def invoice_of(payment: Payment, **changes: Any) -> Invoice:
    """What the provider says once the invoice of a payment is paid."""
    now = clock.now()
    invoice = Invoice(
        invoice_id=int(payment.external_id or 0), hash="h", status=InvoiceStatus.PAID,
        currency_type=CurrencyType.CRYPTO, fiat=None, asset=payment.currency, amount=payment.amount,
        accepted_assets=(), pay_url=payment.pay_url, mini_app_url="", web_app_url="",
        payload=str(payment.pk), description="", created_at=now, expires_at=None, paid_at=now,
        paid_asset=payment.currency, paid_amount=payment.amount, paid_fiat_rate=None,
        paid_usd_rate=None, fee_asset=None, fee_amount=None, fee_usd=None, paid_anonymously=None,
        comment="", swap_to=None, is_swapped=None, swapped_to=None, swapped_amount=None,
    )  # fmt: skip
    return replace(invoice, **changes)


def pay(payment: Payment, **changes: Any) -> Activation:
    """The provider says that it is paid. Returns what stands for the access."""
    payment_settle(
        payment_id=payment.pk, invoice=invoice_of(payment, **changes), found_by="webhook"
    )
    payment.refresh_from_db()
    return Activation.objects.get(payment=payment)


def paid(subscriber: Subscriber | None, plan: Plan | None = None, **fields: Any) -> Activation:
    """An order that was just paid."""
    return pay(order_open(subscriber, plan, **fields))


def told(kind: str = "payment_received") -> list[str]:
    """The texts that were queued, oldest first."""
    rows = QueuedMessage.objects.filter(notification_type=kind).order_by("pk")
    return list(rows.values_list("message", flat=True))


def ends_of(panel: PanelHand, subscriber: Subscriber) -> datetime:
    """Until when the panel serves."""
    return datetime.fromisoformat(panel.user(subscriber.panel_id or 0)["expireAt"])


def status_of(panel: PanelHand, subscriber: Subscriber) -> str:
    """What the panel says that he is."""
    return str(panel.user(subscriber.panel_id or 0)["status"])


def dates_written(panel: PanelHand) -> list[str]:
    """The ends that were written to the panel, in order."""
    return [
        write["body"]["expireAt"]
        for write in panel.writes(call="users.update")
        if "expireAt" in (write["body"] or {})
    ]


def to_ms(moment: datetime) -> datetime:
    """As the panel keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
