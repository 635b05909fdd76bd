"""Taking away doubts that are over: whoever has again what he paid for, or whose paid time is past."""

from datetime import datetime

from django.db import transaction

from jobs.compiled import rows_of

PACK = 2_000  # a bulk act or a panel from a backup may move the ends of very many

_IS_OVER = """
NOT EXISTS (
    SELECT FROM subscription_activation a JOIN subscriber s ON s.id = a.subscriber_id
    WHERE a.subscriber_id = d.subscriber_id AND a.state = 'applied'
        AND a.target_expire_at > s.expire_at AND a.target_expire_at > %s
)
"""
_LOCK = f"""
SELECT d.subscriber_id FROM access_doubt d WHERE d.subscriber_id > %s AND {_IS_OVER}
ORDER BY d.subscriber_id LIMIT %s FOR UPDATE OF d SKIP LOCKED
"""
_FORGET = f"""
DELETE FROM access_doubt d WHERE d.subscriber_id = ANY(%s) AND {_IS_OVER} RETURNING 1
"""


def doubts_forget(now: datetime) -> int:
    """Forget whose doubt is over, PACK of them in a transaction. Returns how many. Repeat: none.

    Locks: the notes, by skipping those that somebody just writes. Judged once more under the lock: who
    noted the same person before is seen then, and who comes after waits and notes him anew.
    """
    count, after = 0, 0
    while True:
        with transaction.atomic():
            ids = [each for (each,) in rows_of(_LOCK, [after, now, PACK])]
            if not ids:
                return count
            count += len(rows_of(_FORGET, [ids, now]))
        after = ids[-1]
