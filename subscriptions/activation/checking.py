"""A minute after somebody paid: is he served? What is not right becomes a gap with a button."""

from jobs.alerts import attention
from lib import clock
from subscriptions.access.gaps import TITLES, Found, GapKind, gaps_close, gaps_open
from subscriptions.activation.rows import PAGE, activation_find
from subscriptions.activation.serving import is_served
from subscriptions.activation.telling import waiting_tell
from subscriptions.models import Activation
from subscriptions.panel import door
from subscriptions.panel.errors import PanelError, PanelMissing
from subscriptions.panel.types import PanelStatus, PanelUser

State = Activation.State
_KINDS = {
    State.PENDING: GapKind.WAITING,
    State.FAILED: GapKind.FAILED,
    State.HELD: GapKind.HELD,
}


def access_check(activation_id: int) -> str:
    """Look at one activation; the customer hears that access comes, the admins that it does not.

    One that is applied is read from the panel once more, because whoever cut him in the same second
    may have come after us. An answer that is none changes nothing. Repeat: nothing twice.
    """
    activation = activation_find(activation_id)
    if activation.state != State.APPLIED:
        waiting_tell(activation_id)
        activation = activation_find(activation_id)  # it may have been applied meanwhile
    if activation.state != State.APPLIED:
        return _wait_note(activation)
    subscriber = activation.subscriber
    if subscriber is None or subscriber.panel_id is None:
        return "nobody"
    try:
        user = door.panel().user(subscriber.panel_id)
    except PanelMissing:
        found = missing_found(activation)
    except (PanelError, door.PanelOff):
        return "unknown"
    else:
        found = compare(activation, user)
    if found is None:
        gaps_close([activation.payment_id], kinds=[GapKind.SHORT, GapKind.OFF, GapKind.GONE])
        return "served"
    _alert(gaps_open([found]), activation)
    return found.kind


def _wait_note(activation: Activation) -> str:
    kind = _KINDS[State(activation.state)]
    _alert(gaps_open([waiting_found(activation)]), activation)
    return kind


def waiting_found(activation: Activation) -> Found:
    """The gap of a payment that is not activated yet."""
    kind = _KINDS[State(activation.state)]
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


def compare(activation: Activation, user: PanelUser) -> Found | None:
    """What is wrong with an applied activation, as the panel has just said; None: all is well.

    Who used up his traffic meanwhile, or whose paid time is over, is served as he paid.
    """
    target = activation.target_expire_at
    if target is None or target <= clock.now() or is_served(user, target):
        return None
    if user.expire_at < target:
        return _differs(activation, user, GapKind.SHORT)
    if user.status in {PanelStatus.DISABLED, PanelStatus.EXPIRED}:
        return _differs(activation, user, GapKind.OFF)
    return None


def missing_found(activation: Activation) -> Found | None:
    """The gap of somebody whom the panel does not have any more; None: his paid time is over."""
    target = activation.target_expire_at
    if target is None or target <= clock.now():
        return None
    facts = {**_ledger(activation), "panel": "has no such user"}
    return Found(activation.payment_id, GapKind.GONE, activation.subscriber_id, facts)


def _differs(activation: Activation, user: PanelUser, kind: GapKind) -> Found:
    facts = {**_ledger(activation), "panel": f"{user.status}, until {user.expire_at:%F %H:%M} UTC"}
    return Found(activation.payment_id, kind, activation.subscriber_id, facts)


def _ledger(activation: Activation) -> dict[str, str]:
    until = activation.target_expire_at
    return {
        "provider": "paid",
        "ledger": f"served until {until:%F %H:%M} UTC" if until else "no date",
    }


def _alert(fresh: list[Found], activation: Activation) -> None:
    for found in fresh:
        who = activation.subscriber.username if activation.subscriber else "a new customer"
        attention(
            group="access:late",
            title="Somebody paid and is not served after a minute",
            text=f"{who}: {TITLES[found.kind]}. {found.facts.get('error', '')}".strip(),
            severity="warning",
            link=f"{PAGE}?payment={found.payment_id}",
        )
