"""Whether somebody has paid for more than the panel shows: asked before anybody is told or cut."""

from collections.abc import Collection

from jobs.compiled import rows_of
from subscriptions.lifecycle.verdicts import Money
from subscriptions.models import Activation

_OPEN = """
SELECT subscriber_id, state FROM subscription_activation
WHERE subscriber_id = ANY(%s) AND NOT state = 'applied'
"""


def money_of(subscriber_id: int) -> Money:
    """What the activations of a subscriber say. One query on the index of the open ones.

    An activation is written in the transaction that completes its payment, so this misses none.
    """
    return money_of_all([subscriber_id])[subscriber_id]


def money_of_all(subscriber_ids: Collection[int]) -> dict[int, Money]:
    """The same for many, in one query."""
    found = dict.fromkeys(subscriber_ids, Money.NONE)
    for subscriber_id, state in rows_of(_OPEN, [list(subscriber_ids)]):
        if state == Activation.State.PENDING:
            found[subscriber_id] = Money.COMING
        elif found[subscriber_id] is Money.NONE:
            found[subscriber_id] = Money.STUCK
    return found
