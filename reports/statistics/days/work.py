"""What people and the platform did on a day: acts, errors, messages, and how fast the panel answered."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from jobs import sql
from reports.statistics.days.spans import Span

SYSTEM = "system"  # whom the audit log names for what no person did
ERRORS = 10  # the most frequent that are kept
SAMPLES_KEPT = timedelta(days=7)  # of the looks at services
PANEL = "remnawave"  # as monitoring/checks/known.py calls it

_OPERATIONS = """
SELECT action, count(*) FROM jobs_auditentry
WHERE at >= %(begin)s AND at < %(end)s AND account_name <> %(system)s
GROUP BY action ORDER BY count(*) DESC, action
"""
# Errors are the same if they differ in numbers and ids only; one of them stands for all.
_ERRORS = """
WITH lines AS (
    SELECT left(coalesce(nullif(regexp_replace(rtrim(error, E'\n '), '^.*\n', ''), ''),
        'the worker was killed'), 300) AS line
    FROM jobs_jobattempt
    WHERE finished_at >= %(begin)s AND finished_at < %(end)s
        AND outcome IN ('retried', 'crashed', 'dead')
)
SELECT min(line), count(*), sum(count(*)) OVER ()
FROM lines GROUP BY regexp_replace(line, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+', '#', 'g')
ORDER BY count(*) DESC, min(line) LIMIT %(most)s
"""
# The queue and, of broadcasts that were under way, the ledger, which sends past the queue.
_MESSAGES = """
SELECT q.sent + coalesce(l.sent, 0), q.failed + coalesce(l.failed, 0) FROM (
    SELECT count(*) FILTER (WHERE status = 'sent' AND sent_at >= %(begin)s AND sent_at < %(end)s)
            AS sent,
        count(*) FILTER (WHERE status = 'failed' AND failed_at >= %(begin)s AND failed_at < %(end)s)
            AS failed
    FROM notification_queue
) q CROSS JOIN (
    SELECT count(*) FILTER (WHERE r.fate = 'sent') AS sent,
        count(*) FILTER (WHERE r.fate = 'failed') AS failed
    FROM notification_broadcasts b JOIN broadcast_ledger r ON r.broadcast_id = b.id AND r.channel = 'telegram'
    WHERE b.started_at < %(end)s AND (b.finished_at IS NULL OR b.finished_at >= %(begin)s)
        AND r.at >= %(begin)s AND r.at < %(end)s
) l
"""
_LATENCY = """
SELECT avg(latency_ms) FROM service_sample
WHERE service = %(panel)s AND is_ok AND at >= %(begin)s AND at < %(end)s
"""


@dataclass(slots=True)
class Work:
    """The figures of one day; null: the source no longer has the day."""

    operations: dict[str, int] | None = None
    errors: list[dict[str, object]] | None = None
    errors_count: int | None = None
    sent: int | None = None
    failed: int | None = None
    latency_ms: float | None = None


def work_of(span: Span) -> Work:
    """The figures of a day that is over. Four statements at most."""
    work, given = Work(), span.params()
    if span.is_within(timedelta(days=settings.CLEANUP_AUDIT_RETENTION_DAYS)):
        work.operations = dict(sql.rows(_OPERATIONS, {**given, "system": SYSTEM}))
    if span.is_within(timedelta(days=settings.JOBS["history_days"])):
        found = sql.rows(_ERRORS, {**given, "most": ERRORS})
        work.errors = [{"text": text, "count": count} for text, count, _ in found]
        work.errors_count = int(found[0][2]) if found else 0
    if span.is_within(timedelta(days=settings.CLEANUP_NOTIFICATION_DAYS)):
        work.sent, work.failed = sql.rows(_MESSAGES, given)[0]
    if span.is_within(SAMPLES_KEPT):
        average = sql.rows(_LATENCY, {**given, "panel": PANEL})[0][0]
        work.latency_ms = None if average is None else round(float(average), 1)
    return work
