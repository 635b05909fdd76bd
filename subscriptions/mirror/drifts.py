"""Drift: what the panel and we see otherwise and nobody has decided yet."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from jobs import sql
from jobs.compiled import rows_of
from jobs.storable import json_storable
from lib import clock

THEIRS, OURS, IGNORED, GONE = "theirs", "ours", "ignored", "passed"  # how a drift ends
IDENTITY = "identity"

_OPEN = """
INSERT INTO subscriber_drift AS d (subscriber_id, field, owner, ours, theirs, found_at)
SELECT subscriber_id, field, owner, ours, theirs, %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS v (subscriber_id bigint, field text, owner text, ours jsonb, theirs jsonb)
WHERE NOT EXISTS (
    -- What a person chose to ignore is not asked again while it stays as it is.
    SELECT FROM subscriber_drift i WHERE i.subscriber_id = v.subscriber_id AND i.field = v.field
        AND i.resolution = 'ignored' AND i.theirs IS NOT DISTINCT FROM v.theirs
)
ON CONFLICT (subscriber_id, field) WHERE resolved_at IS NULL
DO UPDATE SET ours = EXCLUDED.ours, theirs = EXCLUDED.theirs
WHERE d.ours IS DISTINCT FROM EXCLUDED.ours OR d.theirs IS DISTINCT FROM EXCLUDED.theirs
RETURNING (xmax = 0)
"""
_SETTLE = """
UPDATE subscriber_drift SET resolved_at = %s, resolution = %s
WHERE resolved_at IS NULL AND subscriber_id = ANY(%s)
    AND subscriber_id || ':' || field <> ALL(%s::text[])
RETURNING 1
"""
_CLOSE = """
UPDATE subscriber_drift SET resolved_at = %(now)s, resolution = %(how)s, resolved_by = %(by)s
WHERE resolved_at IS NULL AND subscriber_id = ANY(%(ids)s) AND field = ANY(%(fields)s)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """One difference that is to be shown."""

    subscriber_id: int
    field: str
    owner: str  # panel or us: whose word counts
    ours: Any
    theirs: Any


def drifts_open(found: Sequence[Found]) -> int:
    """Show differences; one that is shown already gets the newest values. Returns how many are new."""
    if not found:
        return 0
    rows = json_storable(
        [
            {
                "subscriber_id": each.subscriber_id,
                "field": each.field,
                "owner": each.owner,
                "ours": plain(each.ours),
                "theirs": plain(each.theirs),
            }
            for each in found
        ]
    )
    written = sql.rows(_OPEN, {"rows": rows, "now": clock.now()})
    return sum(is_new for (is_new,) in written)


def drifts_close(
    subscriber_ids: Collection[int], fields: Iterable[str], *, how: str, by: str = ""
) -> int:
    """Take differences off the list: they were settled, or are none any more."""
    params = {
        "ids": list(subscriber_ids),
        "fields": list(fields),
        "how": how,
        "by": by[:150],
        "now": clock.now(),
    }
    return sql.run(_CLOSE, params)


def drifts_settled(rows: Mapping[int, Collection[str]]) -> int:
    """Take off the list what agrees by now. rows: subscriber id -> the fields that still do not."""
    still = [f"{subscriber_id}:{name}" for subscriber_id, names in rows.items() for name in names]
    return len(rows_of(_SETTLE, [clock.now(), GONE, list(rows), still]))


def plain(value: Any) -> Any:
    """A column as JSON shows it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return orjson.loads(orjson.dumps(value))
