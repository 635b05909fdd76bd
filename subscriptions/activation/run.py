"""Activating a paid payment: from the row that stands for it to the customer who is told.

    read the panel (or make the user) -> compute the date, store it -> write it to the panel ->
    read back -> applied, told

Killed between any two of them, the next try finds what the last one did: the date is stored before it
is written, it is absolute, and what the customer is told stands in the transaction that says "applied".
"""

import logging

from django.db import transaction

from jobs.faults import fault
from jobs.outcomes import Cancel, Done, Outcome, Retry, Snooze
from payments.models import State as PaymentState
from subscriptions.activation.creating import NameTaken, user_bind, user_make
from subscriptions.activation.dates import target_of
from subscriptions.activation.rows import (
    activation_applied,
    activation_fail,
    activation_find,
    activation_hold,
    activation_lock,
    activation_note,
)
from subscriptions.activation.serving import NotServed, serve
from subscriptions.models import Activation, CutBy, Plan, Subscriber
from subscriptions.panel import door
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import (
    PanelDenied,
    PanelError,
    PanelMissing,
    PanelRefused,
    PanelWaits,
)
from subscriptions.panel.types import PanelStatus, PanelUser
from subscriptions.turns import TurnTaken, turn

logger = logging.getLogger(__name__)

State, Reason = Activation.State, Activation.Reason
# Whom we switched off comes back by paying; whom a person switched off does not.
_OURS = frozenset({CutBy.SWEEP, CutBy.BULK})


class NumberTaken(Exception):
    """The panel has another person under the number of a subscriber."""


def activation_run(activation_id: int, *, is_last: bool) -> Outcome:
    """One try at an activation. is_last: the ladder ends with it.

    Repeat: safe at any point, also beside another run of the same. Panel away, busy or held: put off,
    unspent. A user that is gone, or a refusal: given up at once, with an alert and a button.
    """
    activation = activation_find(activation_id)
    if activation.state == State.APPLIED:
        return Done({"state": activation.state})
    if activation.payment.state != PaymentState.COMPLETED:
        return Cancel(f"the payment is {activation.payment.state}")
    try:
        return _try(activation)
    except TurnTaken as exc:
        return Snooze(exc.retry_after, exc.message)
    except PanelWaits as exc:
        activation_note(activation_id, str(exc), is_attempt=False)
        raise
    except (PanelMissing, NumberTaken) as exc:
        return _give_up(
            activation_id, Reason.MISSING, f"The panel has no such user any more ({exc})"
        )
    except NameTaken as exc:
        return _give_up(activation_id, Reason.REFUSED, str(exc))
    except PanelRefused as exc:
        if not isinstance(exc, PanelDenied):
            return _give_up(activation_id, Reason.REFUSED, f"The panel refused it: {exc}")
        return _again(activation_id, exc, is_last=is_last)
    except (PanelError, NotServed, door.PanelOff) as exc:
        return _again(activation_id, exc, is_last=is_last)
    except Exception as exc:
        if is_last:
            activation_fail(activation_id, Reason.INTERNAL, f"{type(exc).__name__}: {exc}")
        raise


def _try(activation: Activation) -> Outcome:
    panel = door.panel()
    fault("activation.begun")
    subscriber = activation.subscriber
    if subscriber is None or subscriber.panel_id is None:
        activation = user_bind(activation.pk, user_make(panel, activation))
        subscriber = activation.subscriber
        fault("activation.bound")
    assert subscriber is not None, "bound to nobody"
    assert subscriber.panel_id is not None, "bound to nobody in the panel"
    # Whoever extends him by hand in this moment would add to the end that we are about to replace.
    with turn(subscriber.pk, in_line=True):
        user = panel.user(subscriber.panel_id)
        if user.username != subscriber.username:
            # A panel that was restored from a backup gives numbers anew.
            raise NumberTaken(
                f"under the number of {subscriber.username} the panel has {user.username} now"
            )
        return _serve(panel, activation.pk, user)


def _serve(panel: PanelClient, activation_id: int, user: PanelUser) -> Outcome:
    fault("activation.read")
    decided = _decide(activation_id, user)
    if decided is None:
        return Done({"state": State.HELD})
    fault("activation.dated")
    until, plan = decided.target_expire_at, _plan_to_write(decided)
    assert until is not None, "decided without a date"
    user = serve(panel, user, until=until, plan=plan)
    fault("activation.served")
    if not activation_applied(activation_id, user):
        # Another run was first, or the money went back while the panel was told.
        payment = activation_find(activation_id).payment
        if payment.state != PaymentState.COMPLETED:
            return Cancel(f"the payment is {payment.state}")
    fault("activation.told")
    return Done({"state": State.APPLIED, "until": until.isoformat()})


@transaction.atomic
def _decide(activation_id: int, user: PanelUser) -> Activation | None:
    """Store the date, unless a person has to decide first: then None."""
    activation = activation_lock(activation_id)
    subscriber = activation.subscriber
    assert subscriber is not None, "read without a subscriber"
    if activation.state == State.APPLIED:
        return activation
    if (
        user.status == PanelStatus.DISABLED
        and subscriber.cut_by not in _OURS
        and activation.reason != Reason.RELEASED
    ):
        activation_hold(activation, _why_held(subscriber))
        return None
    target_of(activation, user.expire_at)
    return activation


def _why_held(subscriber: Subscriber) -> str:
    if subscriber.cut_by == CutBy.OPERATOR:
        reason = f" ({subscriber.cut_reason})" if subscriber.cut_reason else ""
        return f"an operator had disabled the subscriber{reason}"
    return "somebody had disabled the subscriber in the panel"


def _plan_to_write(activation: Activation) -> Plan | None:
    """The plan whose limits are written: a new one. Who renews keeps what he was given by hand."""
    subscriber = activation.subscriber
    if activation.plan is None or subscriber is None or subscriber.plan_id == activation.plan_id:
        return None
    return activation.plan


def _give_up(activation_id: int, reason: Activation.Reason, error: str) -> Outcome:
    activation_fail(activation_id, reason, error)
    return Cancel(error)


def _again(activation_id: int, exc: Exception, *, is_last: bool) -> Outcome:
    error = f"{exc}" or type(exc).__name__
    if is_last:
        return _give_up(activation_id, Reason.AWAY, error)
    activation_note(activation_id, error, is_attempt=True)
    return Retry(error)
