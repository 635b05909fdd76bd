"""What the conversations counted, as rows of Stat: appended in the transaction of the act, so that the
numbers are right whatever is killed; added up later, so that the table stays small."""

from django.db import transaction

from jobs import sql
from lib import clock
from notifications.conversations.models import Stat

MOST = 50_000  # rows in one transaction

EPOCH = "2000-01-01 00:00:00+00"
_FOLD = """
WITH old AS (
    DELETE FROM conversation_stat s USING (
        SELECT id FROM conversation_stat WHERE {where} LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) d WHERE s.id = d.id RETURNING s.*
), sums AS (
    INSERT INTO conversation_stat (at, event, reason, count)
    SELECT {at}, event, reason, sum(count) FROM old GROUP BY 1, 2, 3 RETURNING 1
)
SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM sums)
"""
# What is folded, and into which moment.
_STEPS = (
    ("at < date_trunc('minute', %(now)s) AND at >= %(now)s - interval '10 minutes'", "at"),
    (
        "at < %(now)s - interval '2 hours' AND at > '2000-01-02' AND date_trunc('hour', at) <> at",
        "date_trunc('hour', at)",
    ),
    ("at < %(now)s - interval '14 days'", f"'{EPOCH}'::timestamptz"),
)


def count(event: str, times: int = 1, reason: str = "") -> None:
    """Count something in the transaction of the caller. No two of them wait for each other."""
    if times:
        minute = clock.now().replace(second=0, microsecond=0)
        Stat.objects.create(at=minute, event=event, reason=reason, count=times)


def totals() -> dict[tuple[str, str], int]:
    """{(event, reason): how often since the beginning}. Never shrinks. One query."""
    found = sql.rows(
        "SELECT event, reason, sum(count)::bigint FROM conversation_stat GROUP BY event, reason"
    )
    return {(event, reason): times for event, reason, times in found}


def fold() -> int:
    """Add up minutes that are over; older than two hours: by hour; than two weeks: into one total.

    Returns how many rows are left of what was folded. Repeat-safe; totals stay as they are.
    """
    left = 0
    for where, at in _STEPS:
        statement = _FOLD.format(where=where, at=at)
        while True:
            with transaction.atomic():
                found = sql.row(statement, {"now": clock.now(), "most": MOST})
            taken, made = found or (0, 0)
            left += made
            if taken < MOST:
                break
    return left
