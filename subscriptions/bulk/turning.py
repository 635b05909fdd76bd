"""The turns of several subscribers at once (subscriptions/turns.py has what a turn is)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID, uuid4, uuid5

from jobs import sql
from subscriptions.turns import SPAN

# In the order of the ids, so that two who take several do not wait for each other in a ring.
_TAKE = """
INSERT INTO subscriber_turn AS t (subscriber_id, token, until)
SELECT id, %(token)s, clock_timestamp() + %(span)s FROM unnest(%(ids)s::bigint[]) g (id) ORDER BY id
ON CONFLICT (subscriber_id) DO UPDATE SET token = EXCLUDED.token, until = EXCLUDED.until
WHERE t.until <= clock_timestamp() OR left(replace(t.token::text, '-', ''), 16) = %(walker)s
RETURNING subscriber_id
"""
_GIVE_BACK = """
DELETE FROM subscriber_turn t USING (
    SELECT subscriber_id FROM subscriber_turn WHERE subscriber_id = ANY(%(ids)s)
        AND token = %(token)s ORDER BY subscriber_id FOR UPDATE
) mine WHERE t.subscriber_id = mine.subscriber_id
"""


@contextmanager
def turns_held(
    operation_id: UUID, walker: int, subscriber_ids: Sequence[int]
) -> Iterator[frozenset[int]]:
    """Be the only one who changes some subscribers: those whose turn nobody has. Waits for nobody.

    A walker that takes over from a killed one has its turns at once; otherwise they lapse after SPAN, so
    the block must be much shorter. Not within a transaction. Does not nest.
    """
    if not subscriber_ids:
        yield frozenset()
        return
    # Half of the token is the walker's, for who takes over from it; half is of this once, so that a
    # walker that was believed dead gives back nothing of its successor's.
    known = uuid5(operation_id, str(walker)).hex[:16]
    token = UUID(hex=known + uuid4().hex[16:])
    params = {"token": token, "walker": known, "span": SPAN, "ids": list(subscriber_ids)}
    ours = [subscriber_id for (subscriber_id,) in sql.rows(_TAKE, params)]
    try:
        yield frozenset(ours)
    finally:
        sql.run(_GIVE_BACK, {"ids": ours, "token": token})
