"""From `paid` on: the row that stands for the access that a payment buys, and the jobs that give it."""

from datetime import timedelta
from typing import Any

from django.db import transaction

from jobs import sql
from jobs.enqueue import enqueue_many
from jobs.faults import fault
from jobs.registry import kind_get
from jobs.specs import spec_build
from lib import clock
from lib.ids import uuid7
from payments.models import Payment
from payments.words import amount_say
from subscriptions.models import Activation
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
    job = spec_build(kind_get(ACTIVATE), _call(activation))
    assert activation.job_id is not None, "inserted without its job"
    job.id = activation.job_id
    look = spec_build(kind_get(CHECK), {"activation_id": activation.pk, "delay": LATE})
    enqueue_many([job, look])
    fault("activation.recorded")
    return activation, True


def _insert(payment: Payment) -> Activation | None:
    """The new row; None if the payment has one. Whoever writes it in this moment is waited for."""
    plan = sql.row("SELECT id FROM subscription_plan WHERE code = %s", [payment.plan_code])
    activation = Activation(
        payment=payment,
        subscriber_id=payment.subscriber_id,
        plan_id=plan[0] if plan else None,
        days=payment.period_days,
        created_at=clock.now(),
        job_id=uuid7(),
    )
    found = sql.row(
        """INSERT INTO subscription_activation
            (payment_id, subscriber_id, plan_id, days, state, created_at, job_id)
        VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (payment_id) DO NOTHING RETURNING id""",
        [
            payment.pk, activation.subscriber_id, activation.plan_id, activation.days,
            activation.state, activation.created_at, activation.job_id,
        ],
    )  # fmt: skip
    if found is None:
        return None
    activation.pk = found[0]
    return activation


def _lock(subscriber_id: int) -> None:
    sql.run("SELECT FROM subscriber WHERE id = %s FOR NO KEY UPDATE", [subscriber_id])


def activation_enqueue(activation: Activation) -> bool:
    """Have an activation done, in the transaction of the caller; all of a subscriber in their order.

    Says whether there was a job of it already, which may be asleep. Repeat: that job is found.
    """
    made = kind_get(ACTIVATE).enqueue(**_call(activation))
    if activation.job_id != made.id:
        activation.job_id = made.id
        activation.save(update_fields=["job_id"])
    return made.deduplicated


def _call(activation: Activation) -> dict[str, Any]:
    return {
        "activation_id": activation.pk,
        "partition": line_of(activation),
        "unique": activation.pk,
    }


def line_of(activation: Activation) -> str:
    """The partition key of jobs that change what a subscriber is served."""
    if activation.subscriber_id is not None:
        return f"subscriber:{activation.subscriber_id}"
    return f"order:{activation.payment_id}"
