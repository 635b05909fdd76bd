"""Whose doing a change is: while an act of ours on somebody is under way, what we see is our own echo.

Our acts write their own line of the story and say themselves who cut whom, once they are done. The
mirror may see their effect before that (the panel works while we wait for its answer).
"""

from collections.abc import Collection
from datetime import timedelta

from jobs import sql
from lib import clock

JUST_NOW = timedelta(minutes=2)  # how long after its end an act may still be seen by an older read

_BUSY = """
SELECT i.subscriber_id FROM bulk_item i
WHERE i.subscriber_id = ANY(%(ids)s) AND (i.state = 'running' OR i.at > %(since)s)
UNION
SELECT i.subscriber_id FROM subscription_sweep_item i
WHERE i.subscriber_id = ANY(%(ids)s) AND ((i.fate = '' AND i.job_id IS NOT NULL) OR i.at > %(since)s)
UNION
SELECT a.subscriber_id FROM subscription_activation a
WHERE a.subscriber_id = ANY(%(ids)s) AND (a.state = 'pending' OR a.applied_at > %(since)s)
"""


def ours_under_way(subscriber_ids: Collection[int]) -> frozenset[int]:
    """Those of the subscribers on whom a bulk operation, a sweep or an activation is at work."""
    if not subscriber_ids:
        return frozenset()
    params = {"ids": list(subscriber_ids), "since": clock.now() - JUST_NOW}
    return frozenset(subscriber_id for (subscriber_id,) in sql.rows(_BUSY, params))
