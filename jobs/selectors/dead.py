"""Dead letters in groups: what died, of what, how often."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jobs import sql

LOOKED_AT = 10_000  # the newest dead jobs
GROUPS = 12

_VARIES = "#"  # stands for a number or an id in the pattern of an error


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Dead jobs of one kind with the same last error line, numbers and ids aside."""

    kind: str
    pattern: str
    sample: str  # the line of the newest one, as it is
    count: int
    oldest_at: datetime  # made
    newest_at: datetime
    newest_id: UUID

    @property
    def search(self) -> str:
        """The longest part of the line that all of the group share: what a filter can look for."""
        return max((part.strip() for part in self.pattern.split(_VARIES)), key=len)


def dead_groups() -> list[DeadGroup]:
    """The largest groups among the newest LOOKED_AT dead jobs. One query on the index of the dead."""
    found = sql.rows(_GROUPS, {"most": LOOKED_AT, "groups": GROUPS})
    return [DeadGroup(*row) for row in found]


# The last line says what was raised; those above it say where.
_GROUPS = r"""
WITH dead AS (
    SELECT id, kind, created_at,
        left(regexp_replace(btrim(coalesce(last_error, ''), E' \n\r\t'), '^.*\n', ''), 500) AS line
    FROM jobs_job WHERE state = 'dead' ORDER BY id DESC LIMIT %(most)s
), named AS (
    SELECT *, regexp_replace(line,
        '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\m[0-9a-f]{16,}\M|\d+',
        '#', 'gi') AS pattern
    FROM dead
)
SELECT kind, pattern, (array_agg(line ORDER BY id DESC))[1], count(*)::int, min(created_at),
    max(created_at), (array_agg(id ORDER BY id DESC))[1]
FROM named GROUP BY kind, pattern ORDER BY count(*) DESC, max(created_at) DESC LIMIT %(groups)s
"""


def dead_count() -> int:
    """How many jobs are dead now, counted up to LOOKED_AT + 1."""
    row = sql.row(
        "SELECT count(*) FROM (SELECT FROM jobs_job WHERE state = 'dead' LIMIT %s) d",
        [LOOKED_AT + 1],
    )
    return int(row[0]) if row else 0
