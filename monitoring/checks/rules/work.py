"""Rules about the job platform: failures, backlog, workers, schedules."""

from django.conf import settings

from jobs import sql
from jobs.selectors.queues import COUNTED, queues_depth
from jobs.workers import SILENT_AFTER
from lib import clock, durations
from monitoring.checks.rules.rule import Part, Reading, idle

MINUTES = 15
NAMED = 3  # kinds that a text names
_JOBS = "/admin/jobs/jobrecord/"

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
    if runs < settings.RULE_ERROR_RATE_RUNS:
        least = settings.RULE_ERROR_RATE_RUNS
        return idle(f"{runs} runs in {MINUTES} minutes; fewer than {least} tell nothing")
    share = 100 * failed / runs
    worst = sorted((row for row in rows if row[2]), key=lambda row: (-row[2], row[0]))[:NAMED]
    named = "; ".join(f"{kind} {bad} of {well + bad}" for kind, well, bad in worst)
    text = f"{failed} of {runs} tries failed in {MINUTES} minutes"
    text = f"{text}. Most: {named}" if named else text
    title = f"{share:.1f} % of the tries of jobs failed"
    return Reading(share, text, (Part("jobs", share, title, text, _JOBS),))


def queue_depth() -> Reading:
    """Due jobs that wait, of the fullest queue. Queues of outside workers count, too."""
    parts = []
    for queue in queues_depth():
        many = f"more than {COUNTED:,}" if queue.available > COUNTED else f"{queue.available:,}"
        said = f"{queue.running:,} run, {queue.scheduled:,} are due later."
        if queue.oldest_due_at is not None:
            said += f" The oldest waits for {durations.words(clock.now() - queue.oldest_due_at)}."
        if queue.paused_at is not None:
            said += f" It was paused by {queue.paused_by or 'somebody'}: {queue.pause_reason}."
        parts.append(
            Part(
                queue.name,
                queue.available,
                f"{many} due jobs wait in the queue {queue.name}",
                said,
                f"/admin/jobs/queue/#queue-{queue.name}",
            )
        )
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
        used = f"{size / 1_048_576:.0f} of {limit / 1_048_576:.0f} MB"
        parts.append(
            Part(
                name,
                100 * size / limit,
                f"The worker {name} uses {used}",
                "It is replaced between two jobs when it has outgrown its limit.",
                f"/admin/jobs/worker/#worker-{name}",
            )
        )
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
    text = f"{len(late)} wait to be fired: {named}{' and others' if len(late) > NAMED else ''}"
    title = f"The schedule {name} is overdue"
    part = Part("schedules", seconds, title, text, "/admin/jobs/scheduleentry/")
    return Reading(seconds, text, (part,))
