"""Telling who has paid: that access is on, or that it is still being switched on. Each once."""

from datetime import datetime, timedelta

from django.db import transaction

from jobs.compiled import Compiled, Param
from jobs.rows import row_update
from lib import clock
from lib.errors import NotFound
from notifications.telegram.services import message_queue
from notifications.telegram.templates import render
from payments.models import Payment
from subscriptions.activation.orders import language_pick
from subscriptions.models import Activation
from subscriptions.story import event_write

_LOCK = Compiled(
    lambda: (
        Activation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("payment", "subscriber")
        .filter(pk=Param("id"))
    )
)

KIND = "payment_received"
_KEPT = timedelta(days=31)  # longer than anybody tries


def told_served(activation: Activation) -> None:
    """Queue "paid, you are served until ...", in the transaction that writes that it is so.

    Repeat: nothing. The caller holds the activation, and saves its told_at.
    """
    if activation.told_at is not None:
        return
    until = activation.target_expire_at
    assert until is not None, "applied without a date"
    _tell(activation, f"{KIND}:{activation.payment_id}:served", until)
    activation.told_at = clock.now()


@transaction.atomic
def waiting_tell(activation_id: int) -> bool:
    """Queue "paid, access comes", unless access is on or that was told. Says whether it was queued.

    Repeat: nothing. Locks: the activation.
    """
    activation = _LOCK.one(id=activation_id)
    if activation is None:
        raise NotFound(f"there is no activation {activation_id}")
    if activation.state == Activation.State.APPLIED or activation.told_waiting_at is not None:
        return False
    _tell(activation, f"{KIND}:{activation.payment_id}:waiting", None)
    activation.told_waiting_at = clock.now()
    row_update(activation, "told_waiting_at")
    return True


def _tell(activation: Activation, key: str, until: datetime | None) -> None:
    payment, subscriber = activation.payment, activation.subscriber
    chat = payment.telegram_id or (subscriber.telegram_id if subscriber else None)
    kind, said = "not_told", {"reason": "no Telegram id is known"}
    if chat:
        _queue(payment, chat, key, until)
        kind = "told_served" if until else "told_waiting"
        said = {"until": until.isoformat()} if until else {}
    if subscriber is not None:
        event_write(subscriber.pk, kind, "payment", data=said, payment_id=payment.pk)


def _queue(payment: Payment, chat: int, key: str, until: datetime | None) -> None:
    message_queue(
        telegram_id=chat,
        message=render(
            KIND,
            language_pick(payment.language),
            amount=(payment.amount, payment.currency),
            plan=payment.plan_title,
            expires_at=until,
            invoice=payment.external_id,
        ),
        notification_type=KIND,
        priority=1,
        dedup_key=key,
        dedup_ttl=_KEPT,
    )
