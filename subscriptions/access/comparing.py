"""What one activation looks like beside what the panel says."""

from lib import clock
from subscriptions.access.gaps import Found, GapKind
from subscriptions.activation.serving import is_served
from subscriptions.models import Activation, CutBy
from subscriptions.panel.types import PanelStatus, PanelUser

State = Activation.State
KINDS = {
    State.PENDING: GapKind.WAITING,
    State.FAILED: GapKind.FAILED,
    State.HELD: GapKind.HELD,
}
# Whoever they switched off after he had paid was switched off on purpose.
_ON_PURPOSE = frozenset({CutBy.OPERATOR, CutBy.BULK})


def waiting_found(activation: Activation) -> Found:
    """The gap of a payment that is not activated yet."""
    kind = KINDS[State(activation.state)]
    subscriber = activation.subscriber
    panel = "has no user for it yet"
    if subscriber is not None and subscriber.panel_id is not None:
        panel = f"{subscriber.status}, until {subscriber.expire_at:%F %H:%M} UTC (as last seen)"
    return Found(
        activation.payment_id,
        kind,
        activation.subscriber_id,
        {
            "provider": "paid",
            "ledger": f"completed, activation {activation.state}",
            "panel": panel,
            "error": activation.last_error,
        },
    )


def seen_found(activation: Activation, user: PanelUser) -> Found | None:
    """What is wrong, as the panel has just shown the user under the subscriber's number."""
    if activation.subscriber is not None and user.username != activation.subscriber.username:
        return missing_found(activation)  # a panel that was restored gives numbers anew
    return compare(activation, user)


def compare(activation: Activation, user: PanelUser) -> Found | None:
    """What is wrong with an applied activation, as the panel has just said; None: all is well.

    Who used up his traffic meanwhile, whose paid time is over, or whom a person here has switched off
    since, is served as he shall be.
    """
    target = activation.target_expire_at
    if target is None or target <= clock.now() or is_served(user, target):
        return None
    if user.expire_at < target:
        return _differs(activation, user, GapKind.SHORT)
    if user.status not in {PanelStatus.DISABLED, PanelStatus.EXPIRED}:
        return None
    subscriber = activation.subscriber
    is_meant = subscriber is not None and subscriber.cut_by in _ON_PURPOSE
    if user.status == PanelStatus.DISABLED and is_meant:
        return None
    return _differs(activation, user, GapKind.OFF)


def missing_found(activation: Activation) -> Found | None:
    """The gap of somebody whom the panel does not have any more; None: his paid time is over."""
    target = activation.target_expire_at
    if target is None or target <= clock.now():
        return None
    facts = {**_ledger(activation), "panel": "has no such user"}
    return Found(activation.payment_id, GapKind.GONE, activation.subscriber_id, facts)


def _differs(activation: Activation, user: PanelUser, kind: GapKind) -> Found:
    facts = {
        **_ledger(activation),
        "panel": f"{user.status}, until {user.expire_at:%F %H:%M} UTC",
        "status": user.status.value,
    }
    return Found(activation.payment_id, kind, activation.subscriber_id, facts)


def _ledger(activation: Activation) -> dict[str, str]:
    until = activation.target_expire_at
    return {
        "provider": "paid",
        "ledger": f"served until {until:%F %H:%M} UTC" if until else "no date",
    }
