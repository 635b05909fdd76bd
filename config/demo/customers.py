"""The customers of the demo: who is reminded thinks it over, orders, pays; some pay too little."""

import random
from datetime import timedelta

from django.conf import settings

from config.demo.sandbox import order
from config.demo.shop import HELD
from jobs.registry import job
from lib import clock
from payments.models import Payment, State
from subscriptions.activation.orders import order_for
from subscriptions.activation.tasks import auto_renew
from subscriptions.lifecycle.tasks import disable_expired, remind_expiring
from subscriptions.models import Notice, NoticeState, Plan, Subscriber

ORDERS = 3  # of one look
PAYMENTS = 3
SOON = timedelta(minutes=30)
REMINDED = 0.5  # of those who are reminded order
SHORT = 0.08  # of those who pay pay too little


@job("demo.customers", queue="notifications", every="20s", immediate=True, timeout="1m")
def customers() -> dict[str, int]:
    """Let customers order and pay, and let the life cycle look more often than once an hour."""
    if not settings.REMNAWAVE_URL.endswith("/remnawave"):
        return {}
    for kind in (remind_expiring, disable_expired, auto_renew):
        kind.enqueue()
    return {"ordered": _orders(), "paid": _payments()}


def _orders() -> int:
    """Some of those who were reminded or told of the end a moment ago order, once per notice."""
    since = clock.now() - SOON
    told = (
        Notice.objects.filter(
            state=NoticeState.QUEUED,
            decided_at__gte=since,
            subscriber__username__startswith="demo_",
        )
        .select_related("subscriber__plan")
        .order_by("-pk")[:50]
    )
    count = 0
    for notice in told:
        # The same person decides the same way at each look.
        if random.Random(notice.pk).random() > REMINDED:  # noqa: S311 - a mood
            continue
        count += _order(notice.subscriber, f"demo:{notice.subscriber_id}:{notice.expire_at:%s}")
        if count == ORDERS:
            return count
    hannah = Subscriber.objects.filter(username=HELD).select_related("plan").first()
    return count + (_order(hannah, "demo:hannah") if hannah else 0)


def _order(row: Subscriber, key: str) -> int:
    before = Payment.objects.filter(subscriber_id=row.pk, state__in=[State.CREATED, State.PENDING])
    plan = row.plan or Plan.objects.order_by("position").first()
    if plan is None or row.missing_since is not None or before.exists():
        return 0
    made = order_for(row, plan, "USDT", key=key)
    return int(made.created_at >= clock.now() - timedelta(seconds=5))


def _payments() -> int:
    """Some open invoices are paid in the sandbox, which then sends its webhook.

    Ours may be open where theirs is not: somebody has paid too little, or its time is over.
    """
    found = order("GET", "cryptopay/invoices?status=active")["invoices"]
    payable = [str(each["invoice_id"]) for each in found]
    opened = Payment.objects.filter(state=State.PENDING, external_id__in=payable).order_by("pk")
    count = 0
    for payment in opened[:PAYMENTS]:
        body: dict[str, object] = {"invoice_ids": [int(payment.external_id or 0)]}
        if random.Random(payment.pk.int).random() < SHORT:  # noqa: S311 - a mood
            body["amount"] = str((payment.amount / 2).normalize())
        order("POST", "cryptopay/pay", body)
        count += 1
    return count
