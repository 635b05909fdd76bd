"""Hints: the panel said that something happened to a user, so he is read back.

What a webhook says of a user is never taken over: it may be late, out of order, or a replay, and of a
deletion only the panel's own answer is proof. Reading back makes all of these harmless, also the echo
of our own writes, which finds nothing to change.
"""

from collections.abc import Collection
from datetime import datetime

from jobs import sql
from jobs.compiled import rows_of
from lib import clock
from subscriptions.mirror.applying import PanelIsAnother, users_apply
from subscriptions.mirror.identity import renamed_settle
from subscriptions.mirror.missing import confirm
from subscriptions.panel.client import PanelClient

PACK = 200

_TAKE = "SELECT panel_id, at FROM panel_hint ORDER BY at, panel_id LIMIT %s"
_ADD = """
INSERT INTO panel_hint (panel_id, at) SELECT unnest(%s::bigint[]), %s::timestamptz
ON CONFLICT (panel_id) DO UPDATE SET at = EXCLUDED.at
RETURNING (xmax = 0)
"""
_IS_KNOWN = """
SELECT 1 FROM subscriber WHERE panel_id = %s AND missing_since IS NULL
    AND panel_updated_at = %s AND status = %s AND expire_at = %s
"""
_DROP = """
DELETE FROM panel_hint h USING unnest(%(ids)s::bigint[], %(at)s::timestamptz[]) AS v (panel_id, at)
WHERE h.panel_id = v.panel_id AND h.at = v.at
"""


def hint(panel_ids: Collection[int]) -> bool:
    """Have users read back soon. Repeat: one read for all hints about a user that wait.

    Says whether one of them had no hint before; for the others a reading is on its way.
    """
    given = [sorted(set(panel_ids)), clock.now()]
    return any(is_new for (is_new,) in rows_of(_ADD, given))


def is_known(panel_id: int, *, updated_at: datetime, status: str, expire_at: datetime) -> bool:
    """Whether the mirror has a user just so: then what was said is the echo of what we have seen."""
    return bool(rows_of(_IS_KNOWN, [panel_id, updated_at, status, expire_at]))


def hints_follow(client: PanelClient) -> int:
    """Read back whoever waits longest, PACK at most. Returns how many; a hint that comes meanwhile
    stays for the next call. Raises PanelError, with nothing forgotten."""
    taken: list[tuple[int, datetime]] = [(row[0], row[1]) for row in sql.rows(_TAKE, [PACK])]
    if not taken:
        return 0
    read_at = clock.now()
    found = client.users_by_ids([panel_id for panel_id, _ in taken])
    try:
        applied = users_apply([user for user in found.values() if user is not None], read_at)
    except PanelIsAnother as exc:
        client.contract.differs(str(exc), mixes_up=True)
        return 0
    for row, user in applied.renamed:
        renamed_settle(client, row, user)
    confirm(client, [panel_id for panel_id, user in found.items() if user is None], read_at)
    sql.run(_DROP, {"ids": [each for each, _ in taken], "at": [at for _, at in taken]})
    return len(taken)
