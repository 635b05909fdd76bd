"""From `paid` on: the row that stands for the access that a payment buys, and the jobs that give it."""

from datetime import timedelta

from django.db import transaction

from jobs import sql
from jobs.faults import fault
from jobs.registry import kind_get
from lib import clock
from payments.models import Payment
from payments.words import amount_say
from subscriptions.models import Activation, Plan, Subscriber
from subscriptions.story import event_write

LATE = timedelta(seconds=60)  # from paid to served; then the customer and the admins are told
ACTIVATE = "subscriptions.activate"
CHECK = "subscriptions.check_access"


@transaction.atomic(savepoint=False)
def activation_begin(payment: Payment) -> tuple[Activation, bool]:
    """Write down that a completed payment is to be activated, and enqueue what does it.

    Gives the activation, and whether it is new. Repeat: a second call finds the first row and
    enqueues nothing. The caller holds the lock of the payment, or does not mind who comes first.
    Locks: the subscriber, so that whoever decides about him just now (a reminder, a cut) either sees
    the payment or was first.
    """
    if payment.subscriber_id is not None:
        _lock(payment.subscriber_id)
    activation = _insert(payment)
    if activation is None:
        return Activation.objects.select_related("payment").get(payment=payment), False
    if payment.subscriber_id is not None:
        event_write(
            payment.subscriber_id,
            "paid",
            "payment",
            data={
                "plan": payment.plan_title,
                "amount": amount_say(payment.amount),
                "currency": payment.currency,
            },
            payment_id=payment.pk,
        )
    activation_enqueue(activation)
    fault("activation.recorded")
    kind_get(CHECK).enqueue(activation_id=activation.pk, delay=LATE)
    return activation, True


def _insert(payment: Payment) -> Activation | None:
    """The new row; None if the payment has one. Whoever writes it in this moment is waited for."""
    plan_id = Plan.objects.filter(code=payment.plan_code).values_list("pk", flat=True).first()
    activation = Activation(
        payment=payment,
        subscriber_id=payment.subscriber_id,
        plan_id=plan_id,
        days=payment.period_days,
        created_at=clock.now(),
    )
    found = sql.row(
        """INSERT INTO subscription_activation
            (payment_id, subscriber_id, plan_id, days, state, created_at)
        VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (payment_id) DO NOTHING RETURNING id""",
        [
            payment.pk, activation.subscriber_id, plan_id, activation.days, activation.state,
            activation.created_at,
        ],
    )  # fmt: skip
    if found is None:
        return None
    activation.pk = found[0]
    return activation


def _lock(subscriber_id: int) -> None:
    rows = Subscriber.objects.select_for_update(no_key=True).filter(pk=subscriber_id)
    list(rows.values_list("pk", flat=True))


def activation_enqueue(activation: Activation) -> bool:
    """Have an activation done, in the transaction of the caller; all of a subscriber in their order.

    Says whether there was a job of it already, which may be asleep. Repeat: that job is found.
    """
    made = kind_get(ACTIVATE).enqueue(
        activation_id=activation.pk, partition=line_of(activation), unique=activation.pk
    )
    if activation.job_id != made.id:
        activation.job_id = made.id
        activation.save(update_fields=["job_id"])
    return made.deduplicated


def line_of(activation: Activation) -> str:
    """The partition key of jobs that change what a subscriber is served."""
    if activation.subscriber_id is not None:
        return f"subscriber:{activation.subscriber_id}"
    return f"order:{activation.payment_id}"
