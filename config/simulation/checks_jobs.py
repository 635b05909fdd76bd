"""The platform has lost nothing and nothing is stuck."""

from collections.abc import Iterator

from config.simulation.findings import Finding
from jobs import sql
from jobs.registry import kinds
from lib import clock
from payments.models import IncomingWebhook, Intake
from subscriptions.models import Notice, NoticeState, Sweep, SweepState


def checks() -> Iterator[Finding]:
    yield stuck()
    yield dead()
    yield webhooks()
    yield notices()


def stuck() -> Finding:
    """No job of ours is due and not done, and none was leased without an end."""
    found = Finding("no job is lost or stuck")
    rows = sql.rows(
        """SELECT id, kind, state, run_at, blocked, left(last_error, 120) FROM jobs_job
        WHERE (kind LIKE 'payments.%%' OR kind LIKE 'subscriptions.%%') AND state <> 'dead'
            AND run_at < %s - interval '10 min'""",
        [clock.now()],
    )
    for job_id, kind, state, run_at, blocked, error in rows:
        found.expect(False, f"{kind} {job_id}: {state} {run_at:%F %T} {blocked=} {error}")
    total = sql.row("SELECT count(*) FROM jobs_jobrecord")
    found.seen = int(total[0]) if total else 0
    return found


def dead() -> Finding:
    """No job gave up, but runs of a schedule, whose next slot does the same."""
    found = Finding("no job gave up whose work nobody else does")
    rows = sql.rows(
        "SELECT kind, args::text, left(last_error, 200), crash_count FROM jobs_job WHERE state = 'dead'"
    )
    scheduled = {kind.name for kind in kinds() if kind.periodic is not None}
    for kind, args, error, crashes in rows:
        if kind in scheduled:
            continue
        found.expect(False, f"{kind} {args}: {error} ({crashes} crashes)")
    return found


def webhooks() -> Finding:
    """What came in is decided."""
    found = Finding("every webhook that came in is decided")
    for row in IncomingWebhook.objects.only("state", "source", "event", "last_error").iterator():
        is_open = row.state in {Intake.RECEIVED, Intake.FAILED}
        found.expect(not is_open, f"webhook {row.pk} {row.event}: {row.state} {row.last_error}")
    return found


def notices() -> Finding:
    """No notice and no sweep hangs."""
    found = Finding("every notice is decided, every sweep has ended")
    for notice in Notice.objects.only("state", "stage", "reason", "expire_at").iterator():
        is_open = notice.state == NoticeState.DUE
        found.expect(not is_open, f"notice {notice.pk} {notice.stage} {notice.expire_at} is due")
    for sweep in Sweep.objects.all():
        is_over = sweep.state in {SweepState.DONE, SweepState.OBSERVED}
        found.expect(is_over, f"sweep {sweep} is {sweep.state}: {sweep.held_reason}")
    return found
