"""How much there is, and how much went: by the statistics of the tables and the runs of a month."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from jobs import sql
from lib import clock
from reports.retention.policies import policies

SPAN = 30  # days of the chart

_SIZES = """
SELECT t.name, sum(pg_total_relation_size(c.oid))::bigint, sum(greatest(c.reltuples, 0))::bigint
FROM unnest(%s::text[]) AS t (name)
JOIN pg_class c ON c.relkind = 'r' AND (c.oid = to_regclass(t.name)
    OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(t.name)))
GROUP BY 1
"""
_WENT = """
SELECT (finished_at AT TIME ZONE 'UTC')::date, sum(rows)::bigint, sum(bytes)::bigint, sum(partitions)
FROM retention_run WHERE id >= %s AND NOT is_dry AND finished_at IS NOT NULL GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Holds:
    """What the tables of a kind take with their indexes; rows as the planner knows them."""

    bytes: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Night:
    """What all kinds removed on one day (UTC)."""

    day: date
    rows: int = 0
    bytes: int = 0
    partitions: int = 0


def holds_now() -> dict[str, Holds]:
    """{kind: what its tables hold}. One query on the catalog; Redis is not asked."""
    tables = {each.kind: [step.table for step in each.steps()] for each in policies()}
    names = sorted({name for found in tables.values() for name in found})
    sizes = {name: (size, rows) for name, size, rows in sql.rows(_SIZES, [names])}
    return {
        kind: Holds(
            sum(sizes[name][0] for name in found if name in sizes),
            sum(sizes[name][1] for name in found if name in sizes),
        )
        for kind, found in tables.items()
    }


def nights() -> list[Night]:
    """The last SPAN days, the oldest first. One query on the key: the ids of runs grow with time."""
    today = clock.now().date()
    # A run may begin a day before it ends. 48 bits of milliseconds (RFC 9562).
    first = clock.now() - timedelta(days=SPAN + 1)
    since = UUID(int=int(first.timestamp() * 1000) << 80)
    found = {day: Night(day, *rest) for day, *rest in sql.rows(_WENT, [since])}
    days = [today - timedelta(days=SPAN - 1 - each) for each in range(SPAN)]
    return [found.get(day, Night(day)) for day in days]
