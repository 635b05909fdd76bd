"""A minute after somebody paid: is he served? What is not right becomes a gap with a button."""

from jobs.alerts import attention
from subscriptions.access.comparing import missing_found, seen_found, waiting_found
from subscriptions.access.gaps import TITLES, Found, GapKind, gaps_close, gaps_open
from subscriptions.access.healing import heal_unasked
from subscriptions.activation.rows import PAGE, activation_find
from subscriptions.activation.telling import waiting_tell
from subscriptions.models import Activation
from subscriptions.panel import door
from subscriptions.panel.errors import PanelError, PanelMissing

State = Activation.State


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
        found = seen_found(activation, user)
    if found is None:
        gaps_close([activation.payment_id], kinds=[GapKind.SHORT, GapKind.OFF, GapKind.GONE])
        return "served"
    _alert(gaps_open([found]), activation)
    heal_unasked([found])
    return found.kind


def _wait_note(activation: Activation) -> str:
    found = waiting_found(activation)
    _alert(gaps_open([found]), activation)
    return found.kind


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
