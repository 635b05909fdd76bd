"""Acting on all jobs that match a filter: count first (dry run), then in packs, each audited as one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from jobs import errors
from jobs.audit import Account, audit_write
from jobs.models import JobRecord, State
from jobs.operations import job_cancel, job_discard, job_replay, job_reprioritize, job_run_now
from lib import clock
from lib.errors import DomainError, InputInvalid

ACTIONS = ("cancel", "retry", "replay", "discard", "reprioritize")
MOST = 10_000  # in one call
SAMPLE = 20
RETRYING = "retrying"  # no state of a row: waits for another try
PUT_AWAY = "put_away"  # no state of a row: was dead, and somebody replayed or discarded it


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; empty fields match all. `args` must be contained in the args of the job."""

    kind: str = ""
    queue: str = ""
    state: str = ""
    error: str = ""  # part of the last error
    key: str = ""
    args: dict[str, Any] | None = None
    worker: str = ""
    correlation_id: str = ""
    created_from: datetime | None = None
    created_to: datetime | None = None
    ids: tuple[UUID, ...] = ()  # these only

    def query(self) -> QuerySet[JobRecord]:
        """The matching jobs, newest first."""
        found = JobRecord.objects.order_by("-id")
        exact = {
            "kind": self.kind,
            "queue": self.queue,
            "partition_key": self.key,
            "worker": self.worker,
            "correlation_id": self.correlation_id,
        }
        found = found.filter(**{name: value for name, value in exact.items() if value})
        if self.state:
            found = found.filter(state_q(self.state))
        if self.error:
            found = found.filter(last_error__icontains=self.error)
        if self.args:
            found = found.filter(args__contains=self.args)
        if self.ids:
            found = found.filter(pk__in=self.ids)
        if self.created_from:
            found = found.filter(created_at__gte=self.created_from)
        if self.created_to:
            found = found.filter(created_at__lt=self.created_to)
        return found


def state_q(state: str) -> Q:
    """The state as people see it: a scheduled job whose time has come is available.

    "dead" are those that still wait for a person, so that a replay of all repeats no older one.
    """
    now = clock.now()
    waiting = Q(state__in=[State.SCHEDULED, State.AVAILABLE])
    if state == State.SCHEDULED:
        return waiting & Q(run_at__gt=now)
    if state == State.AVAILABLE:
        return waiting & Q(run_at__lte=now)
    if state == RETRYING:
        return waiting & Q(attempt__gt=0)
    if state in {State.DEAD, PUT_AWAY}:
        return Q(state=State.DEAD, finished_at__isnull=state == State.DEAD)
    if state not in State.values:
        raise InputInvalid(f"state must be one of {', '.join(State.values)}")
    return Q(state=state)


@dataclass(slots=True)
class BulkResult:
    """What was done, or in a dry run would be."""

    action: str
    matched: int
    done: int
    refused: list[dict[str, str]]
    sample: list[str]
    dry_run: bool
    more: bool  # more match than one call takes


def jobs_bulk(
    *,
    where: JobFilter,
    action: str,
    by: Account,
    dry_run: bool = True,
    limit: int = MOST,
    priority: int | None = None,
) -> BulkResult:
    """Do one action to every job that matches. Each job stands alone: a refusal stops no other.

    Raises InputInvalid for an unknown action or an empty filter.
    """
    if action not in ACTIONS:
        raise InputInvalid(f"action must be one of {', '.join(ACTIONS)}")
    if where == JobFilter():
        raise InputInvalid("a filter must say something; name at least a kind, a queue or a state")
    limit = max(1, min(limit, MOST))
    ids: list[UUID] = list(where.query().values_list("pk", flat=True)[: limit + 1])
    result = BulkResult(
        action=action,
        matched=min(len(ids), limit),
        done=0,
        refused=[],
        sample=[str(job_id) for job_id in ids[:SAMPLE]],
        dry_run=dry_run,
        more=len(ids) > limit,
    )
    if dry_run:
        return result
    for job_id in ids[:limit]:
        try:
            _act(action, job_id, by, priority)
            result.done += 1
        except DomainError as exc:
            if len(result.refused) < 100:
                result.refused.append({"id": str(job_id), "reason": exc.message})
    audit_write(
        by, f"jobs.bulk_{action}", "jobs", "matching",
        matched=result.matched, done=result.done, refused=len(result.refused),
        filter={
            name: str(getattr(where, name)) for name in JobFilter.__slots__ if getattr(where, name)
        },
    )  # fmt: skip
    return result


def _act(action: str, job_id: UUID, by: Account, priority: int | None) -> None:
    if action == "cancel":
        job_cancel(job_id=job_id, by=by)
    elif action == "retry":
        job_run_now(job_id=job_id, by=by)
    elif action == "replay":
        job_replay(job_id=job_id, by=by)
    elif action == "discard":
        job_discard(job_id=job_id, by=by)
    elif priority is None:
        raise errors.EnqueueInvalid("reprioritize needs a priority")
    else:
        job_reprioritize(job_id=job_id, priority=priority, by=by)
