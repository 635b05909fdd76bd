"""Counts of one minute that were appended as rows, added up when they are older, so that a table stays small.

A table of counts has `id`, `at` (the start of a minute), `count`, and the columns that name what is counted.
Nobody waits for another to count, and totals stay as they are whatever is killed.
"""

from django.db import transaction

from jobs import sql
from lib import clock

MOST = 50_000  # rows in one transaction
EPOCH = "2000-01-01 00:00:00+00"  # of the total of all that is older than two weeks

_FOLD = """
WITH old AS (
    DELETE FROM {table} s USING (
        SELECT id FROM {table} WHERE {where} LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) d WHERE s.id = d.id RETURNING s.*
), sums AS (
    INSERT INTO {table} (at, {names}, count)
    SELECT {at} AS moment, {names}, sum(count) FROM old GROUP BY moment, {names} RETURNING 1
)
SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM sums)
"""
# What is folded, and into which moment.
_STEPS = (
    # Minutes that are over: many rows each, one per transaction.
    ("at < date_trunc('minute', %(now)s) AND at >= %(now)s - interval '10 minutes'", "at"),
    (
        "at < %(now)s - interval '2 hours' AND at > '2000-01-02' AND date_trunc('hour', at) <> at",
        "date_trunc('hour', at)",
    ),
    ("at < %(now)s - interval '14 days'", f"'{EPOCH}'::timestamptz"),
)


def counts_fold(table: str, *names: str) -> int:
    """Add up minutes that are over; older than two hours: by hour; than two weeks: into one total.

    table and names (the columns that say what is counted) are ours, no input. Returns how many rows are
    left of what was folded. Repeat-safe.
    """
    left = 0
    for where, at in _STEPS:
        statement = _FOLD.format(table=table, names=", ".join(names), where=where, at=at)
        while True:
            with transaction.atomic():
                found = sql.row(statement, {"now": clock.now(), "most": MOST})
            taken, made = found or (0, 0)
            left += made
            if taken < MOST:
                break
    return left
