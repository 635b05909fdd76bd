"""New customers: a user of the panel for who paid and has none. The name protects from making two."""

import re

from django.db import IntegrityError, transaction

from jobs.faults import fault
from lib import clock
from payments.models import Payment
from subscriptions.activation.dates import target_of
from subscriptions.activation.noting import user_note
from subscriptions.activation.rows import activation_lock
from subscriptions.activation.serving import terms_of
from subscriptions.mirror.owners import columns_of
from subscriptions.models import Activation, Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelRefused
from subscriptions.panel.types import PanelStatus, PanelUser, UserFields
from subscriptions.story import event_write

NAME_TAKEN = "A019"
_STRANGE = re.compile(r"[^a-zA-Z0-9_-]")


class NameTaken(Exception):
    """The panel has a user of this name who is somebody else."""


def user_make(panel: PanelClient, activation: Activation) -> PanelUser:
    """The user of the panel whom a payment is for: made, or found again by an earlier try.

    Safe to repeat after any failure: the name is that of the payment (of the subscriber, if he had
    one), and a second user of a name is refused. Raises NameTaken, PanelError.
    """
    with transaction.atomic():
        activation = activation_lock(activation.pk)
        until = target_of(activation, None)
    payment, plan = activation.payment, activation.plan
    fields = UserFields(
        expire_at=until, status=PanelStatus.ACTIVE, description=mark_of(payment),
        telegram_id=_chat(activation),
    )  # fmt: skip
    if plan is not None:
        fields.update(terms_of(plan))
    fault("activation.dated")
    name = username_of(activation)
    try:
        user = panel.user_create(name, **fields)
    except PanelRefused as exc:
        if exc.code != NAME_TAKEN:
            raise
        user = panel.user_by_username(name)
        if not _is_his(user, activation):
            raise NameTaken(f"the panel has another user {name!r}") from None
    fault("activation.created")
    return user


@transaction.atomic
def user_bind(activation_id: int, user: PanelUser) -> Activation:
    """Write down that a user of the panel is whom a payment is for.

    The mirror may have met the user before us. Repeat: nothing.
    Locks: the payment, then the subscriber, then the activation.
    """
    payment_id = Activation.objects.values_list("payment_id", flat=True).get(pk=activation_id)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    activation = activation_lock(activation_id)
    if activation.subscriber is not None and activation.subscriber.panel_id == user.id:
        return activation
    subscriber, kind = _subscriber(activation, user)
    user_note(subscriber, user, ours=_ours(activation, subscriber))
    payment.subscriber_id = subscriber.pk
    payment.save(update_fields=["subscriber_id"])
    activation.subscriber = subscriber
    activation.save(update_fields=["subscriber"])
    event_write(
        subscriber.pk,
        kind,
        "payment",
        data={"username": user.username, "until": user.expire_at.isoformat()},
        payment_id=payment.pk,
    )
    return activation


def _subscriber(activation: Activation, user: PanelUser) -> tuple[Subscriber, str]:
    """The row of a user of the panel, locked, and how it came to be."""
    found = Subscriber.objects.select_for_update(no_key=True)
    if activation.subscriber is not None:
        return activation.subscriber, "created"
    known = found.filter(panel_id=user.id).first()
    if known is not None:
        return known, "bound"
    try:
        with transaction.atomic():
            made = Subscriber.objects.create(created_at=clock.now(), **columns_of(user))
    except IntegrityError:  # the mirror was quicker by a moment
        return found.get(panel_id=user.id), "bound"
    return made, "created"


def _ours(activation: Activation, subscriber: Subscriber) -> dict[str, object]:
    return {
        "plan_id": subscriber.plan_id or activation.plan_id,
        "language": subscriber.language or activation.payment.language,
    }


def username_of(activation: Activation) -> str:
    """The name in the panel: 3 to 36 of [a-zA-Z0-9_-], the same for each try of a payment."""
    if activation.subscriber is not None:
        return _STRANGE.sub("_", activation.subscriber.username)
    payment = activation.payment
    if payment.telegram_id is not None and payment.telegram_id > 0:
        return f"tg{payment.telegram_id}_{payment.pk.hex[-12:]}"
    return f"sb_{payment.pk.hex}"


def mark_of(payment: Payment) -> str:
    """What tells in the panel for which order a user was made."""
    return f"Order {payment.pk}"


def _is_his(user: PanelUser, activation: Activation) -> bool:
    if mark_of(activation.payment) in (user.description or ""):
        return True
    chat = _chat(activation)
    return activation.subscriber is not None and chat is not None and user.telegram_id == chat


def _chat(activation: Activation) -> int | None:
    of_subscriber = activation.subscriber.telegram_id if activation.subscriber else None
    chat = of_subscriber or activation.payment.telegram_id
    return chat if chat and chat > 0 else None
