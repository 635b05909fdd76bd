"""What people do: count, remove now, cancel, have days made. Each is audited."""

from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.errors import JobNotCancellable, JobNotFound
from jobs.operations import job_cancel
from jobs.registry import kind_get
from lib import clock
from lib.errors import NotFound
from reports.retention.errors import RetentionBusy, RunOver
from reports.retention.models import RetentionRun, RunState
from reports.retention.policies import policy_get

OBJECT = "retention run"  # what the audit log calls it


def retention_begin(*, kind: str, is_dry: bool, by: Account) -> RetentionRun:
    """Count (is_dry) or remove what is old, in a job of its own. Raises PolicyUnknown, RetentionBusy.

    Repeat: refused while one that somebody asked for waits or runs. Beside the one of the schedule it
    waits for its turn.
    """
    policy = policy_get(kind)
    with transaction.atomic():
        made = kind_get(kind).enqueue(dry_run=is_dry, unique=("retention", kind, is_dry))
        if made.deduplicated:
            raise RetentionBusy(f"{policy.title.lower()}: such a run waits or runs already")
        run = RetentionRun.objects.create(
            kind=kind,
            state=RunState.WAITING,
            is_dry=is_dry,
            job_id=made.id,
            requested_by=by.get_username() if by is not None else "system",
        )
        audit_write(by, "retention.count" if is_dry else "retention.run", OBJECT, run.pk, kind=kind)
    return run


def retention_cancel(*, run_id: UUID, by: Account) -> str:
    """End a run: at once while it waits, after the piece it is at while it runs. What is gone stays gone.

    Returns "cancelled" or "cancelling". Raises NotFound, RunOver.
    """
    with transaction.atomic():
        run = RetentionRun.objects.select_for_update(no_key=True).filter(pk=run_id).first()
        if run is None:
            raise NotFound(f"there is no retention run {run_id}")
        if run.finished_at is not None or run.job_id is None:
            raise RunOver(f"the run is {run.state}")
        try:
            result = job_cancel(job_id=run.job_id, by=by, reason="retention")
        except (JobNotFound, JobNotCancellable):
            result = "cancelled"  # its job is over without a word
        if result == "cancelled":
            run.state, run.finished_at = RunState.CANCELLED, clock.now()
            run.save(update_fields=["state", "finished_at"])
        audit_write(by, "retention.cancel", OBJECT, run.pk, kind=run.kind)
    return result


@transaction.atomic
def days_ask(*, by: Account) -> UUID:
    """Have the next days of partitioned tables made now. Returns the id of the job. Repeat: safe."""
    audit_write(by, "retention.prepare", "days of tables", "next")
    return kind_get("reports.prepare_partitions").enqueue().id
