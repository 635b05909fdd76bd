"""Reading one subscriber back from the panel because a person asks for it."""

from jobs.audit import Account, audit_write
from lib import clock
from lib.errors import NotFound
from subscriptions.errors import PanelUnavailable, SubscriberNotInPanel
from subscriptions.mirror.applying import PanelIsAnother, users_apply
from subscriptions.mirror.identity import renamed_settle
from subscriptions.mirror.missing import confirm
from subscriptions.models import Subscriber
from subscriptions.panel import door
from subscriptions.panel.errors import PanelError
from subscriptions.panel.types import Device


def subscriber_reread(*, subscriber_id: int, by: Account) -> bool:
    """Bring a subscriber in line with what the panel says now. Returns whether anything differed.

    Repeat: nothing. Raises NotFound, SubscriberNotInPanel, PanelUnavailable.
    """
    row = _find(subscriber_id)
    if row.panel_id is None:
        raise SubscriberNotInPanel
    audit_write(by, "subscriber.reread", "subscriber", row.pk)
    read_at = clock.now()
    try:
        client = door.panel()
        user = client.users_by_ids([row.panel_id])[row.panel_id]
        if user is None:
            gone = confirm(client, [row.panel_id], read_at)
            return bool(gone.gone or gone.moved)
        applied = users_apply([user], read_at)
        for named, other in applied.renamed:
            renamed_settle(client, named, other)
    except PanelIsAnother as exc:
        raise PanelUnavailable(str(exc)) from None
    except (PanelError, door.PanelOff) as exc:
        raise PanelUnavailable(f"the panel does not answer just now: {exc}") from None
    Subscriber.objects.filter(pk=row.pk, mirrored_at__lt=read_at).update(mirrored_at=read_at)
    return bool(applied.changed or applied.created or applied.strangers or applied.drifted)


def devices_of(subscriber_id: int) -> tuple[Device, ...]:
    """The devices that the panel knows of a subscriber. Raises NotFound, SubscriberNotInPanel,
    PanelUnavailable."""
    row = _find(subscriber_id)
    if row.panel_id is None:
        raise SubscriberNotInPanel
    try:
        return door.panel().user_devices(row.panel_id)
    except (PanelError, door.PanelOff) as exc:
        raise PanelUnavailable(f"the panel does not answer just now: {exc}") from None


def _find(subscriber_id: int) -> Subscriber:
    row = Subscriber.objects.filter(pk=subscriber_id).first()
    if row is None:
        raise NotFound(f"there is no subscriber {subscriber_id}")
    return row
