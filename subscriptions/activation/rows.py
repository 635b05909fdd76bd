"""The row of an activation: read and locked, and how it ends."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from jobs.alerts import attention
from jobs.compiled import Compiled, Param
from jobs.faults import fault
from jobs.rows import row_update
from lib import clock
from lib.errors import NotFound
from payments.models import State as PaymentState
from subscriptions.access import latency
from subscriptions.access.gaps import gaps_close
from subscriptions.activation.noting import user_note
from subscriptions.activation.telling import told_served
from subscriptions.models import Activation, Subscriber
from subscriptions.panel.types import PanelUser
from subscriptions.story import event_write

PAGE = "/admin/subscriptions/accessgap/"  # money to access: each line with its buttons
_ERROR = 500
State, Reason = Activation.State, Activation.Reason

_FIND = Compiled(
    lambda: Activation.objects.select_related("payment", "subscriber", "plan").filter(
        pk=Param("id")
    )
)
_LOCK_OWNER = Compiled(
    lambda: Subscriber.objects.select_for_update(no_key=True).filter(
        pk__in=Activation.objects.filter(pk=Param("id")).values("subscriber_id")
    )
)
_LOCK = Compiled(
    lambda: (
        Activation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("payment", "plan")
        .filter(pk=Param("id"))
    )
)


def activation_find(activation_id: int) -> Activation:
    """The activation with payment, subscriber and plan. Raises NotFound."""
    row = _FIND.one(id=activation_id)
    if row is None:
        raise NotFound(f"there is no activation {activation_id}")
    return row


def activation_lock(activation_id: int) -> Activation:
    """The same, locked after its subscriber, in the order that everybody locks. Raises NotFound."""
    subscriber = _LOCK_OWNER.one(id=activation_id)
    activation = _LOCK.one(id=activation_id)
    if activation is None:
        raise NotFound(f"there is no activation {activation_id}")
    if activation.subscriber_id != (subscriber and subscriber.pk):  # bound between the two reads
        return activation_lock(activation_id)
    activation.subscriber = subscriber
    return activation


@transaction.atomic
def activation_applied(activation_id: int, user: PanelUser) -> bool:
    """Write that the panel was read back and serves, and tell the customer. All or nothing, once.

    Says whether it was written now. Repeat: nothing. Locks: subscriber, activation.
    """
    activation = activation_lock(activation_id)
    subscriber = activation.subscriber
    assert subscriber is not None, "nobody is served by it"
    if activation.state == State.APPLIED:
        return False
    if activation.payment.state == PaymentState.REFUNDED:
        attention(
            group="access:refunded",
            title="Access was given for money that went back",
            text=f"{_who(activation)}: it was marked as refunded while the panel was told.",
            severity="warning",
            link=f"/admin/subscriptions/subscriber/{subscriber.pk}/change/",
        )
        return False
    is_first = activation.applied_at is None
    activation.state, activation.reason, activation.last_error = State.APPLIED, Reason.NONE, ""
    activation.applied_at = activation.applied_at or clock.now()
    activation.attempts += 1
    plan_id = activation.plan_id or subscriber.plan_id
    user_note(subscriber, user, ours={"plan_id": plan_id})
    event_write(
        subscriber.pk,
        "activated",
        "payment",
        data={
            "until": user.expire_at.isoformat(),
            "before": activation.base_expire_at and activation.base_expire_at.isoformat(),
            "days": activation.days,
        },
        payment_id=activation.payment_id,
    )
    fault("activation.noted")
    told_served(activation)
    row_update(activation, "state", "reason", "last_error", "applied_at", "attempts", "told_at")
    gaps_close([activation.payment_id])
    if is_first:
        latency.count_one(activation)
    return True


@transaction.atomic
def activation_fail(activation_id: int, reason: Activation.Reason, error: str) -> None:
    """Give up for now, and alert: critical, with the page whose buttons mend it.

    Repeat: the row is written, the alert is one for many. Locks: subscriber, activation.
    """
    activation = activation_lock(activation_id)
    if activation.state == State.APPLIED:
        return
    _end(activation, State.FAILED, reason, error)
    _story(activation, "activation_failed", {"error": error[:_ERROR]})
    attention(
        group=f"access:{reason}",
        title="Somebody paid and has no access",
        text=f"{_who(activation)}: {error[:300]}",
        severity="critical",
        link=f"{PAGE}?payment={activation.payment_id}",
    )


def activation_hold(activation: Activation, why: str) -> None:
    """Leave switched off whom a person had switched off, and ask a person. The caller holds the lock."""
    is_new = activation.state != State.HELD
    _end(activation, State.HELD, Reason.DISABLED, why)
    if not is_new:
        return
    _story(activation, "activation_held", {"reason": why})
    attention(
        group="access:held",
        title="Somebody who is disabled has paid",
        text=f"{_who(activation)}: {why}. Release it, or give the money back.",
        severity="warning",
        link=f"{PAGE}?payment={activation.payment_id}",
    )


@transaction.atomic
def activation_refunded(payment_id: UUID) -> None:
    """Money went back before access came: nothing is activated, and nobody has to look.

    Repeat: nothing. What was applied stays as it is; a person decides. The caller holds the payment.
    """
    activation_id = (
        Activation.objects.filter(payment_id=payment_id).values_list("pk", flat=True).first()
    )
    if activation_id is not None:
        activation = activation_lock(activation_id)
        if activation.state != State.APPLIED:
            _end(activation, State.FAILED, Reason.REFUSED, "The payment was marked as refunded")
    gaps_close([payment_id])


def activation_note(activation_id: int, error: str, *, is_attempt: bool) -> None:
    """Write why a try did not work; the next one follows by itself."""
    Activation.objects.filter(pk=activation_id).exclude(state=State.APPLIED).update(
        last_error=error[:_ERROR], attempts=F("attempts") + int(is_attempt)
    )


def activation_of(payment_id: UUID) -> Activation | None:
    """The activation of a payment, if it was paid."""
    return (
        Activation.objects.select_related("payment", "subscriber", "plan")
        .filter(payment_id=payment_id)
        .first()
    )


def _end(
    activation: Activation, state: Activation.State, reason: Activation.Reason, error: str
) -> None:
    activation.state, activation.reason = state, reason
    activation.last_error = error[:_ERROR]
    activation.attempts += 1
    activation.save(update_fields=["state", "reason", "last_error", "attempts"])


def _story(activation: Activation, kind: str, said: dict[str, str]) -> None:
    if activation.subscriber_id is not None:
        event_write(
            activation.subscriber_id, kind, "payment", data=said, payment_id=activation.payment_id
        )


def _who(activation: Activation) -> str:
    if activation.subscriber is not None:
        return activation.subscriber.username
    chat = activation.payment.telegram_id
    return f"a new customer{f', Telegram {chat}' if chat else ''}"
