"""How long it takes from paid to served, as counters that only grow."""

import bisect

from jobs import sql
from subscriptions.models import Activation

# Upper bounds in seconds; -1 is the open bucket.
BOUNDS_S = (1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14_400, 86_400)
OPEN = -1


def seconds_of(activation: Activation) -> float:
    """From the moment that the provider names to the moment that the panel was read back."""
    paid_at = activation.payment.paid_at
    if paid_at is None or activation.applied_at is None:
        return 0.0
    # The clock of the provider may run ahead of ours.
    return max(0.0, (activation.applied_at - paid_at).total_seconds())


def count_one(activation: Activation) -> None:
    """Count an activation that was applied just now, in the transaction that applied it."""
    spent_s = seconds_of(activation)
    place = bisect.bisect_left(BOUNDS_S, spent_s)
    bound = BOUNDS_S[place] if place < len(BOUNDS_S) else OPEN
    sql.run(
        """INSERT INTO access_latency AS l (le, count, total_s) VALUES (%s, 1, %s)
        ON CONFLICT (le) DO UPDATE SET count = l.count + 1, total_s = l.total_s + EXCLUDED.total_s""",
        [bound, spent_s],
    )
