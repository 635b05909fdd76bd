"""Lines of partition keys: see jobs/migrations/sql/line.sql for the rules."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jobs import sql
from jobs.models import OPEN, Job, PartitionWake
from lib import clock


def lines_wake() -> int:
    """Let lines go on whose lock was held when their head left. Returns how many still wait."""
    if not PartitionWake.objects.exists():
        return 0
    found = sql.row("SELECT jobs_line_wake(%s)", [clock.offset()])
    return int(found[0]) if found else 0


def lines_settle(keys: list[str]) -> None:
    """Let the heads of these lines go. Where somebody is just entering, lines_wake does it soon.

    Never waits: the caller holds rows that whoever enters may have to change. In a transaction.
    """
    sql.run("SELECT jobs_line_leave(%s, %s)", [keys, clock.offset()])


@dataclass(frozen=True, slots=True)
class Line:
    """A key and why it waits."""

    key: str
    head_id: UUID
    head_kind: str
    head_state: str
    until: datetime | None  # when the head runs, or its lease ends
    waiting: int  # jobs behind the head, counted up to 1,000
    last_error: str | None


def lines_waiting(*, limit: int = 100, after: str = "", contains: str = "") -> list[Line]:
    """Keys with jobs behind their head, by key. Steps from key to key on the index."""
    found = sql.rows(
        """
            WITH RECURSIVE keys AS (
                (SELECT partition_key AS key FROM jobs_job
                 WHERE partition_key > %(after)s AND state IN ('scheduled', 'available', 'running')
                 ORDER BY partition_key LIMIT 1)
                UNION ALL
                SELECT (SELECT partition_key FROM jobs_job j
                    WHERE j.partition_key > k.key AND j.state IN ('scheduled', 'available', 'running')
                    ORDER BY j.partition_key LIMIT 1)
                FROM keys k WHERE k.key IS NOT NULL
            )
            SELECT k.key, h.id, h.kind, h.state, coalesce(h.lease_until, h.run_at), n.waiting, h.last_error
            FROM (SELECT key FROM keys WHERE key IS NOT NULL AND strpos(key, %(contains)s) > 0
                  LIMIT %(most)s) k
            CROSS JOIN LATERAL (
                SELECT id, kind, state, run_at, lease_until, last_error FROM jobs_job j
                WHERE j.partition_key = k.key AND j.state IN ('scheduled', 'available', 'running')
                ORDER BY j.seq LIMIT 1
            ) h
            CROSS JOIN LATERAL (
                SELECT count(*) - 1 AS waiting FROM (
                    SELECT FROM jobs_job j WHERE j.partition_key = k.key
                        AND j.state IN ('scheduled', 'available', 'running') LIMIT 1001
                ) c
            ) n
            WHERE n.waiting > 0 OR h.state = 'scheduled' LIMIT %(limit)s
            """,
        {"after": after, "contains": contains, "limit": limit, "most": limit * 20},
    )
    return [Line(*row) for row in found]


def line_jobs(key: str, *, limit: int = 100) -> list[Job]:
    """The open jobs of a key in their order."""
    return list(Job.objects.filter(partition_key=key, state__in=OPEN).order_by("seq")[:limit])
