"""What people do to activations: try again, lift a hold, create the user anew, write the date again."""

from contextlib import suppress

from django.db import transaction

from jobs import errors as job_errors
from jobs.audit import Account, audit_write
from jobs.operations import job_run_now
from lib import clock
from subscriptions.activation.begin import activation_enqueue
from subscriptions.activation.rows import activation_lock
from subscriptions.errors import ActivationNotMissing, ActivationNotOpen
from subscriptions.models import Activation, CutBy
from subscriptions.story import event_write

ACTIVATION = "activation"  # what the audit log calls it
State, Reason = Activation.State, Activation.Reason


@transaction.atomic
def activation_retry(*, activation_id: int, by: Account) -> Activation:
    """Try an activation again at once, whatever its ladder says.

    One that is held stays held unless the subscriber is no longer disabled. Repeat: while a try
    waits or runs, a second call joins it. Raises NotFound, ActivationNotOpen.
    """
    activation = _open(activation_id)
    _again(activation, Reason.NONE, "retry", "activation_retried", by)
    return activation


@transaction.atomic
def activation_release(*, activation_id: int, by: Account) -> Activation:
    """Lift the hold of an activation: the subscriber is enabled, and his time begins now.

    Raises NotFound, ActivationNotOpen if it is not held.
    """
    activation = _open(activation_id)
    if activation.state != State.HELD:
        raise ActivationNotOpen(f"the activation is {activation.state}, not held")
    _again(activation, Reason.RELEASED, "release", "activation_released", by)
    return activation


def activations_release(subscriber_id: int, *, by: Account) -> int:
    """Lift the holds of a subscriber who was enabled by a person. Returns how many there were."""
    held = Activation.objects.filter(subscriber_id=subscriber_id, state=State.HELD)
    ids = list(held.order_by("pk").values_list("pk", flat=True))
    for activation_id in ids:
        with suppress(ActivationNotOpen):
            activation_release(activation_id=activation_id, by=by)
    return len(ids)


@transaction.atomic
def activation_recreate(*, activation_id: int, by: Account) -> Activation:
    """Create the user of an activation again, of whom the panel said that it has him no more.

    His name and his date stay, his link and keys are new. Raises NotFound, ActivationNotMissing.
    """
    activation = activation_lock(activation_id)
    subscriber = activation.subscriber
    if activation.state == State.APPLIED:
        _check_lasts(activation)
    elif activation.reason != Reason.MISSING:
        raise ActivationNotMissing
    if subscriber is None:
        raise ActivationNotMissing
    subscriber.panel_id = subscriber.panel_uuid = None
    subscriber.cut_by, subscriber.cut_reason, subscriber.cut_at = CutBy.NOBODY, "", None
    subscriber.save(update_fields=["panel_id", "panel_uuid", "cut_by", "cut_reason", "cut_at"])
    _again(activation, Reason.NONE, "recreate", "activation_retried", by)
    return activation


@transaction.atomic
def activation_reapply(*, activation_id: int, by: Account) -> Activation:
    """Write the date of an applied activation to the panel once more, and switch the subscriber on.

    A later date in the panel stays; the customer is not told again. Raises NotFound,
    ActivationNotOpen if what was paid for is over.
    """
    activation = activation_lock(activation_id)
    if activation.state == State.APPLIED:
        _check_lasts(activation)
    _again(activation, Reason.RELEASED, "reapply", "activation_retried", by)
    return activation


def activation_push(activation: Activation) -> None:
    """Have a waiting activation tried at once, be its job asleep, gone, or never made."""
    if activation_enqueue(activation) and activation.job_id is not None:
        # It runs just now, or has ended a moment ago: then the next comparison finds it.
        with suppress(
            job_errors.JobNotRetryable, job_errors.JobNotFound, job_errors.JobNotCancellable
        ):
            job_run_now(job_id=activation.job_id, by=None)


def _open(activation_id: int) -> Activation:
    activation = activation_lock(activation_id)
    if activation.state == State.APPLIED:
        raise ActivationNotOpen
    return activation


def _check_lasts(activation: Activation) -> None:
    until = activation.target_expire_at
    if until is None or until <= clock.now():
        raise ActivationNotOpen("what was paid for is over")


def _again(
    activation: Activation, reason: Activation.Reason, act: str, kind: str, by: Account
) -> None:
    before = activation.state
    activation.state, activation.reason = State.PENDING, reason
    activation.save(update_fields=["state", "reason"])
    activation_push(activation)
    audit_write(
        by, f"activation.{act}", ACTIVATION, activation.pk,
        payment=str(activation.payment_id), was=before,
    )  # fmt: skip
    if activation.subscriber_id is not None:
        event_write(
            activation.subscriber_id, kind, "staff", by=by, payment_id=activation.payment_id
        )
