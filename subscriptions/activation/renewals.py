"""Auto-renewal: whoever switched it on gets an invoice shortly before the end, once per end.

Nobody is charged: the invoice is a link that the subscriber pays or leaves. An invoice that ran out of
time while it was still useful is followed by another one; the row of the end stays the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from jobs import sql
from jobs.compiled import Compiled, Param
from jobs.rows import row_update
from lib import clock
from lib.errors import DomainError
from notifications.telegram.services import message_queue
from notifications.telegram.templates import render
from payments.models import Payment, Purpose
from payments.models import State as PaymentState
from payments.words import amount_say
from subscriptions.activation.orders import language_pick, order_for
from subscriptions.errors import PriceUnknown
from subscriptions.models import CutBy, Renewal, Subscriber
from subscriptions.story import event_write

AHEAD = timedelta(hours=1)  # how long before the end the invoice is made
BEHIND = timedelta(hours=6)  # ends that a pause of ours has missed are made up for
USEFUL = timedelta(days=3)  # after the end; for so long an invoice is followed by another
PACK = 500
KIND = "invoice_renewal"

REASONS = {
    "no_plan": "no plan is known",
    "no_price": "the plan has no price in the chosen currency",
    "no_telegram": "no Telegram id is known, so the link could not be sent",
    "disabled": "the subscriber is disabled",
    "refused": "the order was refused",
}

_STILL_DUE = Compiled(
    lambda: (
        Subscriber.objects.select_for_update(no_key=True, of=("self",))
        .select_related("plan")
        .filter(pk=Param("id"), auto_renew=True, missing_since=None, expire_at=Param("expire_at"))
    )
)
_LOCK_BY_PAYMENT = Compiled(
    lambda: (
        Renewal.objects.select_for_update(no_key=True, of=("self",))
        .select_related("payment", "subscriber")
        .filter(payment_id=Param("payment_id"))
    )
)


@dataclass(slots=True)
class Tally:
    """What one run did."""

    invoiced: int = 0
    again: int = 0
    skipped: int = 0


def renewals_due(now: datetime) -> QuerySet[Subscriber]:
    """Whose end is near, who wants to be renewed, and whom no invoice was made for yet."""
    made = Renewal.objects.filter(subscriber=OuterRef("pk"), expire_at=OuterRef("expire_at"))
    return Subscriber.objects.filter(
        ~Exists(made),
        auto_renew=True,
        missing_since=None,
        expire_at__gt=now - BEHIND,
        expire_at__lte=now + AHEAD,
    ).order_by("expire_at", "pk")


def renewals_lapsed(now: datetime) -> QuerySet[Renewal]:
    """Whose invoice ran out of time while he still could use another one."""
    return (
        Renewal.objects.filter(
            payment__state=PaymentState.FAILED,
            payment__failure="expired",
            expire_at__gt=now - USEFUL,
            expire_at__lte=now + AHEAD,
            subscriber__auto_renew=True,
            subscriber__missing_since=None,
        )
        .filter(subscriber__expire_at=F("expire_at"))
        .order_by("pk")
    )


def renewal_make(subscriber_id: int, expire_at: datetime, tally: Tally) -> None:
    """Make the invoice for one end, or note why there is none. One transaction.

    Repeat, or beside another run: the row of the end exists once, so that nothing happens twice.
    Locks: the subscriber.
    """
    with transaction.atomic():
        subscriber = _still_due(subscriber_id, expire_at)
        if subscriber is None:
            return
        row = _begun(subscriber_id, expire_at)
        if row is None:
            return
        if _order(row, subscriber, key=f"renewal:{row.pk}"):
            tally.invoiced += 1
        else:
            tally.skipped += 1


def _begun(subscriber_id: int, expire_at: datetime) -> Renewal | None:
    """The row of an end that nothing has come of yet, made if there is none."""
    found = sql.row(
        """INSERT INTO subscription_renewal (subscriber_id, expire_at, created_at)
        VALUES (%s, %s, %s) ON CONFLICT (subscriber_id, expire_at) DO NOTHING RETURNING id""",
        [subscriber_id, expire_at, clock.now()],
    )
    if found is not None:
        return Renewal(pk=found[0], subscriber_id=subscriber_id, expire_at=expire_at)
    row = Renewal.objects.get(subscriber_id=subscriber_id, expire_at=expire_at)
    return None if row.payment_id is not None or row.reason else row


def renewal_follow(renewal_id: int, tally: Tally) -> None:
    """Follow an invoice that ran out of time by another one. Repeat: nothing.

    Locks: the subscriber, then the renewal.
    """
    renewal = Renewal.objects.get(pk=renewal_id)
    with transaction.atomic():
        subscriber = _still_due(renewal.subscriber_id, renewal.expire_at)
        row = (
            Renewal.objects.select_for_update(no_key=True, of=("self",))
            .select_related("payment")
            .get(pk=renewal_id)
        )
        if subscriber is None or row.payment is None or row.payment.state != PaymentState.FAILED:
            return
        if _order(row, subscriber, key=f"renewal:{row.pk}:after:{row.payment_id}"):
            tally.again += 1
        else:
            tally.skipped += 1


def _still_due(subscriber_id: int, expire_at: datetime) -> Subscriber | None:
    """The subscriber, locked, unless he was extended, left or changed his mind since he was found."""
    return _STILL_DUE.one(id=subscriber_id, expire_at=expire_at)


def _order(row: Renewal, subscriber: Subscriber, *, key: str) -> bool:
    reason = _hindrance(subscriber)
    if not reason:
        assert subscriber.plan is not None, "without a plan there is a hindrance"
        try:
            payment = order_for(
                subscriber, subscriber.plan, subscriber.renew_currency, Purpose.AUTO_RENEWAL,
                key=key, source="renewal",
            )  # fmt: skip
        except DomainError as exc:
            reason = "no_price" if isinstance(exc, PriceUnknown) else "refused"
    if reason:
        row.payment, row.reason = None, reason
        row_update(row, "payment", "reason")
        event_write(subscriber.pk, "renewal_skipped", "renewal", data={"reason": REASONS[reason]})
        return False
    row.payment, row.told_at = payment, None
    row_update(row, "payment", "told_at")
    event_write(
        subscriber.pk,
        "renewal_invoiced",
        "renewal",
        data={
            "amount": amount_say(payment.amount),
            "currency": payment.currency,
            "until": row.expire_at.isoformat(),
        },
        payment_id=payment.pk,
    )
    return True


def _hindrance(subscriber: Subscriber) -> str:
    """Why no invoice is made; empty if one is."""
    if subscriber.telegram_id is None:
        return "no_telegram"
    if subscriber.plan is None:
        return "no_plan"
    if subscriber.status == "DISABLED" and subscriber.cut_by not in {CutBy.SWEEP, CutBy.BULK}:
        return "disabled"
    return ""


@transaction.atomic
def invoice_tell(payment_id: UUID) -> str:
    """Send the link of an auto-renewal's invoice, once. Says what became of it.

    Repeat: nothing. Locks: the renewal.
    """
    row = _LOCK_BY_PAYMENT.one(payment_id=payment_id)
    if row is None or row.payment is None:
        return "no renewal has it any more"
    payment, subscriber = row.payment, row.subscriber
    if row.told_at is not None:
        return "told before"
    if payment.state != PaymentState.PENDING or not payment.pay_url:
        return f"the payment is {payment.state}"
    chat = payment.telegram_id or subscriber.telegram_id
    if chat is None:
        return "no Telegram id is known"
    _queue(row, payment, chat)
    row.told_at = clock.now()
    row_update(row, "told_at")
    event_write(subscriber.pk, "renewal_told", "renewal", payment_id=payment.pk)
    return "told"


def _queue(row: Renewal, payment: Payment, chat: int) -> None:
    message_queue(
        telegram_id=chat,
        message=render(
            KIND,
            language_pick(payment.language),
            plan=payment.plan_title,
            amount=(payment.amount, payment.currency),
            pay_url=payment.pay_url,
            expires_at=row.expire_at,
            pay_before=payment.expires_at,
        ),
        notification_type=KIND,
        priority=1,
        dedup_key=f"{KIND}:{payment.pk}",
        dedup_ttl=timedelta(days=31),
    )
