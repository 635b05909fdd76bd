"""What became of messages, as rows of Stat: appended with the fates that they count, so that the numbers
are right whatever is killed; added up later, so that the table stays small."""

from jobs import sql
from jobs.folding import counts_fold
from lib import clock

# Nobody's fault but the chat's: the person blocked the bot, left, or never began.
UNREACHABLE = frozenset({"blocked", "deactivated", "not_started", "not_found", "kicked", "to_bot"})
STATUSES = ("sent", "retried", "failed", "unreachable", "cancelled")
TYPES_TOLD = 50  # types are free text of other backends; the rest is told as "other"
_STATUS = {"sent": "sent", "retry": "retried", "failed": "failed", "cancelled": "cancelled"}


def status_of(outcome: str, reason: str | None) -> str | None:
    """The status to count for the outcome of a try; None for a pause, which is no try."""
    status = _STATUS.get(outcome)
    return "unreachable" if status == "failed" and reason in UNREACHABLE else status


def count(notification_type: str, status: str) -> None:
    """Count one message that did not go through the queue."""
    sql.run(
        "INSERT INTO telegram_stat (at, type, status, count)"
        " VALUES (date_trunc('minute', %s), %s, %s, 1)",
        [clock.now(), notification_type, status],
    )


def totals() -> dict[tuple[str, str], int]:
    """{(type, status): how often since the beginning}. Never shrinks. One query."""
    found = sql.rows(
        """SELECT type, status, sum(count)::bigint FROM telegram_stat
        GROUP BY type, status ORDER BY sum(sum(count)) OVER (PARTITION BY type) DESC, type"""
    )
    told = set(list(dict.fromkeys(kind for kind, _, _ in found))[:TYPES_TOLD])
    sums: dict[tuple[str, str], int] = {}
    for kind, status, times in found:
        key = (kind if kind in told else "other", status)
        sums[key] = sums.get(key, 0) + times
    return sums


def fold() -> int:
    """Add up the counts of earlier minutes. Returns how many rows are left of them. Repeat-safe."""
    return counts_fold("telegram_stat", "type", "status")
