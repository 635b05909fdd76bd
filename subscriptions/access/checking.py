"""A minute after somebody paid: is he served? What is not right becomes a gap with a button."""

from django.db.models import Exists, OuterRef

from jobs.alerts import attention
from jobs.compiled import Compiled, Param
from subscriptions.access.comparing import missing_found, seen_found, waiting_found
from subscriptions.access.gaps import PANEL_KINDS, TITLES, Found, gaps_close, gaps_open
from subscriptions.access.healing import heal_unasked
from subscriptions.activation.rows import PAGE, activation_find
from subscriptions.activation.telling import waiting_tell
from subscriptions.models import AccessGap, Activation
from subscriptions.panel import door
from subscriptions.panel.errors import PanelError, PanelMissing

State = Activation.State
_GAPS = AccessGap.objects.filter(
    payment_id=OuterRef("payment_id"), healed_at=None, kind__in=PANEL_KINDS
)
# Of nearly all who paid a minute ago: what is compared, and no more of the wide rows.
_APPLIED = Compiled(
    lambda: (
        Activation.objects.filter(pk=Param("id"), state=State.APPLIED)
        .select_related("subscriber")
        .only(
            "state",
            "payment_id",
            "target_expire_at",
            "subscriber__panel_id",
            "subscriber__username",
            "subscriber__cut_by",
        )
        .annotate(has_gap=Exists(_GAPS))
    )
)


def access_check(activation_id: int) -> str:
    """Look at one activation; the customer hears that access comes, the admins that it does not.

    One that is applied is read from the panel once more, because whoever cut him in the same second
    may have come after us. An answer that is none changes nothing. Repeat: nothing twice.
    """
    activation: Activation | None = _APPLIED.one(id=activation_id)
    if activation is None:
        if activation_find(activation_id).state != State.APPLIED:
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
        if getattr(activation, "has_gap", True):
            gaps_close([activation.payment_id], kinds=PANEL_KINDS)
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
