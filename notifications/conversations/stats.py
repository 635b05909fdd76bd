"""What the conversations counted, as rows of Stat: appended in the transaction of the act, so that the
numbers are right whatever is killed; added up later, so that the table stays small."""

from jobs import sql
from jobs.folding import counts_fold
from lib import clock
from notifications.conversations.models import Stat


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
    """Add up the counts of earlier minutes. Returns how many rows are left of them. Repeat-safe."""
    return counts_fold("conversation_stat", "event", "reason")
