"""The number of the job platform on the first page of the console."""

from datetime import timedelta

from django.urls import reverse

from jobs import sql
from lib import clock, durations
from lib.now import Figure, Severity, figure

SLOW = timedelta(seconds=15)  # a due job starts within milliseconds where a worker is free
LATE = timedelta(minutes=1)

# One step on the index jobs_job_ready for each queue and priority.
_OLDEST = """
SELECT q.name, min(d.run_at) FROM jobs_queue q
CROSS JOIN generate_series(0, 3) p CROSS JOIN LATERAL (
    SELECT j.run_at FROM jobs_job j
    WHERE j.queue = q.name AND j.priority = p AND NOT j.blocked
        AND j.state IN ('scheduled', 'available') AND j.run_at <= %(now)s
    ORDER BY j.run_at LIMIT 1
) d
WHERE q.paused_at IS NULL GROUP BY q.name ORDER BY 2 LIMIT 1
"""


@figure(order=40, permission="jobs.view_queue")
def oldest_due_job() -> Figure:
    """How long the job waits that waits longest; paused queues have a card of their own."""
    now = clock.now()
    found = sql.row(_OLDEST, {"now": now})
    if found is None:
        return Figure(
            "Oldest due job",
            "none",
            url=reverse("admin:jobs_queue_changelist"),
            hint="every job that is due is running",
        )
    queue, waited = found[0], max(now - found[1], timedelta(0))
    return Figure(
        "Oldest due job",
        durations.words(waited),
        Severity.CRITICAL if waited >= LATE else Severity.WARNING if waited >= SLOW else None,
        f"{reverse('admin:jobs_jobrecord_changelist')}?state=available&queue={queue}",
        f"due for so long in {queue}",
        runbook="queue_old" if waited >= SLOW else "",
    )
