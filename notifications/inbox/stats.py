"""What the inbox counted, as rows of Stat: appended in the transaction of the act, so that the numbers
are right whatever is killed; added up later, so that the table stays small."""

from jobs import sql
from jobs.folding import counts_fold
from lib import clock

EVENTS = (
    "sent",
    "acked",
    "auto_cleared",
    "recalled",
    "replaced",
    "updated",
    "muted",
    "deferred",
    "fallback",
)


def count(event: str, times: int = 1) -> None:
    """Count something in the transaction of the caller."""
    sql.run("SELECT inbox_count(%s, %s, %s)", [event, times, clock.now()])


def totals() -> dict[str, int]:
    """How often each event happened since the beginning. Never shrinks. One query."""
    found = sql.rows("SELECT event, sum(count)::bigint FROM inbox_stat GROUP BY event")
    return dict.fromkeys(EVENTS, 0) | dict(found)


def fold() -> int:
    """Add up the counts of earlier minutes. Returns how many rows are left of them. Repeat-safe."""
    return counts_fold("inbox_stat", "event")
