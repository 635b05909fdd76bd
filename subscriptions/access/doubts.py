"""Taking away doubts that are over: whoever has again what he paid for, or whose paid time is past."""

from datetime import datetime

from django.db import transaction

from jobs.compiled import rows_of

_IS_OVER = """
NOT EXISTS (
    SELECT FROM subscription_activation a JOIN subscriber s ON s.id = a.subscriber_id
    WHERE a.subscriber_id = d.subscriber_id AND a.state = 'applied'
        AND a.target_expire_at > s.expire_at AND a.target_expire_at > %s
)
"""
_LOCK = f"""
SELECT d.subscriber_id FROM access_doubt d WHERE {_IS_OVER} FOR UPDATE OF d SKIP LOCKED
"""
_FORGET = f"""
DELETE FROM access_doubt d WHERE d.subscriber_id = ANY(%s) AND {_IS_OVER} RETURNING 1
"""


@transaction.atomic
def doubts_forget(now: datetime) -> int:
    """Forget whose doubt is over. Returns how many. Repeat: none.

    Locks: the notes, by skipping those that somebody just writes. Judged once more under the lock: who
    noted the same person before is seen then, and who comes after waits and notes him anew.
    """
    ids = [subscriber_id for (subscriber_id,) in rows_of(_LOCK, [now])]
    return len(rows_of(_FORGET, [ids, now])) if ids else 0
