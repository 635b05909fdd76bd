"""Rules about the job platform: failures, backlog, workers, schedules."""

from django.conf import settings

from jobs import sql
from jobs.selectors.queues import COUNTED, queues_depth
from jobs.workers import SILENT_AFTER
from lib import clock
from monitoring.alerts.wording.catalogue import says
from monitoring.checks.rules.rule import Part, Reading, few, idle

MINUTES = 15
NAMED = 3  # kinds that a text names
_JOBS = "/admin/jobs/jobrecord/"
_SCHEDULES = "/admin/jobs/scheduleentry/"

# JobStat is written by the clock of the database, which nobody moves.
_TRIES = """
SELECT kind, sum(count) FILTER (WHERE event = 'completed'),
    sum(count) FILTER (WHERE event IN ('retried', 'dead', 'crashed'))
FROM jobs_jobstat
WHERE at >= date_trunc('minute', clock_timestamp()) - %s * interval '1 minute'
    AND event IN ('completed', 'retried', 'dead', 'crashed')
GROUP BY kind
"""


def error_rate() -> Reading:
    """The share of tries of the last 15 minutes that failed, of all kinds."""
    rows = [
        (kind, int(well or 0), int(bad or 0)) for kind, well, bad in sql.rows(_TRIES, [MINUTES])
    ]
    failed = sum(bad for _, _, bad in rows)
    runs = failed + sum(well for _, well, _ in rows)
    share = 100 * failed / max(1, runs)
    if runs < settings.RULE_ERROR_RATE_RUNS:
        least = settings.RULE_ERROR_RATE_RUNS
        return few(f"{runs} runs in {MINUTES} minutes; fewer than {least} tell nothing", jobs=share)
    worst = sorted((row for row in rows if row[2]), key=lambda row: (-row[2], row[0]))[:NAMED]
    said = says(
        "error_rate", share=share, failed=failed, runs=runs, minutes=MINUTES,
        worst=[(kind, bad, well + bad) for kind, well, bad in worst] or None,
    )  # fmt: skip
    return Reading(share, said.words().text, (Part("jobs", share, said, _JOBS),))


def queue_depth() -> Reading:
    """Due jobs that wait, of the fullest queue. Queues of outside workers count, too."""
    parts = []
    for queue in queues_depth():
        is_paused, is_counted = queue.paused_at is not None, queue.available <= COUNTED
        oldest_at = queue.oldest_due_at
        said = says(
            "queue_depth",
            queue=queue.name,
            waiting=queue.available if is_counted else None,
            over=None if is_counted else COUNTED,
            running=queue.running,
            later=queue.scheduled,
            oldest=None if oldest_at is None else clock.now() - oldest_at,
            paused_by=(queue.paused_by or "somebody") if is_paused else None,
            paused_why=queue.pause_reason if is_paused else None,
        )
        link = f"/admin/jobs/queue/#queue-{queue.name}"
        parts.append(Part(queue.name, queue.available, said, link))
    worst = max(parts, key=lambda part: part.value, default=None)
    if worst is None:
        return idle("there are no queues")
    return Reading(worst.value, f"the fullest is {worst.key}", tuple(parts))


_WORKERS = """
SELECT id, rss_bytes FROM jobs_worker
WHERE stopped_at IS NULL AND NOT is_external AND beat_at > %s AND rss_bytes > 0 ORDER BY id
"""


def worker_memory() -> Reading:
    """Memory of the largest worker process of ours, as a share of WORKER_MEMORY_LIMIT_MB."""
    limit = settings.WORKER_MEMORY_LIMIT
    parts = []
    for name, size in sql.rows(_WORKERS, [clock.now() - SILENT_AFTER]):
        said = says("worker_memory", worker=name, used=size, limit=limit)
        parts.append(Part(name, 100 * size / limit, said, f"/admin/jobs/worker/#worker-{name}"))
    worst = max(parts, key=lambda part: part.value, default=None)
    if worst is None:
        return idle("no worker process has told its memory yet")
    return Reading(worst.value, worst.title, tuple(parts))


_LATE = """
SELECT e.name, extract(epoch FROM %(now)s - s.next_run)::float8
FROM django_q_schedule s JOIN jobs_scheduleentry e ON e.schedule_id = s.id
WHERE s.next_run < %(now)s AND s.repeats <> 0 AND e.paused_at IS NULL
    AND e.quarantined_at IS NULL
ORDER BY s.next_run LIMIT 20
"""


def schedule_overdue() -> Reading:
    """How long the most overdue schedule waits to be fired. Paused and quarantined ones do not count."""
    late = sql.rows(_LATE, {"now": clock.now()})
    if not late:
        return Reading(0.0, "none is overdue")
    name, seconds = late[0]
    named = ", ".join(name for name, _ in late[:NAMED])
    said = says(
        "schedule_overdue", schedule=name, count=len(late), named=named,
        others=len(late) - NAMED if len(late) > NAMED else None,
    )  # fmt: skip
    return Reading(seconds, said.words().text, (Part("schedules", seconds, said, _SCHEDULES),))
