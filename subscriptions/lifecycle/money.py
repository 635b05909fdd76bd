"""Whether somebody has paid for more than the panel shows: asked before anybody is told or cut."""

from subscriptions.lifecycle.verdicts import Money
from subscriptions.models import Activation


def money_of(subscriber_id: int) -> Money:
    """What the activations of a subscriber say. One query on the index of the open ones.

    An activation is written in the transaction that completes its payment, so this misses none.
    """
    states = set(
        Activation.objects.filter(subscriber_id=subscriber_id)
        .exclude(state=Activation.State.APPLIED)
        .values_list("state", flat=True)
    )
    if Activation.State.PENDING in states:
        return Money.COMING
    return Money.STUCK if states else Money.NONE
