"""Lists of jobs: newest first, page by page, never counted, quick on tens of millions of rows.

Some filters have an index. The others (error text, args, worker, ...) are looked for in windows of
rows, newest first, until a page is full or a moment has passed; then the page says how far back it
looked, and the next one goes on from there.
"""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from jobs.bulk import RETRYING, JobFilter
from jobs.models import OPEN, WAITING, JobRecord, State
from lib import clock

PAGE = 50
WINDOW = 20_000  # rows
BUDGET_S = 0.1  # after that no further window is opened

# States that depend on the time: a future job becomes available and no row is written.
_CLOCKED = (State.SCHEDULED, State.AVAILABLE, RETRYING)

# What a line of a list needs; args, results and log lines may be large.
COLUMNS = (
    "id", "kind", "queue", "priority", "state", "run_at", "attempt", "max_attempts", "worker",
    "partition_key", "last_error", "progress", "created_at", "started_at", "blocked", "lease_until",
    "cancel_requested_at", "finished_at", "resolution",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobsPage:
    """Some jobs, and where the next page starts (None: this was the last).

    looked_to: set if the search stopped before the page was full; older jobs were not looked at.
    """

    jobs: list[JobRecord]
    after: UUID | None
    looked_to: datetime | None = None


def jobs_page(where: JobFilter, *, after: UUID | None = None, size: int = PAGE) -> JobsPage:
    """The jobs that match, older than `after`. One query, or two per window looked at."""
    matching = _narrow(where, where.query()).only(*COLUMNS)
    indexed = _indexed(where)
    if indexed == where:
        return _full(_older(matching, after), size)
    rows = _narrow(indexed, indexed.query())
    if where.state in _CLOCKED:
        rows = rows.filter(state__in=WAITING)
    began = time.monotonic()
    found: list[JobRecord] = []
    while True:
        lowest = _older(rows, after).values_list("pk", flat=True)[WINDOW - 1 : WINDOW].first()
        window = _older(matching, after)
        if lowest is not None:
            window = window.filter(pk__gte=lowest)
        found += window[: size + 1 - len(found)]
        if len(found) > size or lowest is None:
            return _full(found, size)
        after = lowest
        if time.monotonic() - began > BUDGET_S:
            return JobsPage(found, lowest, made_at(lowest))


def key_exists(key: str) -> bool:
    """Whether any job, open or in the history, has this partition key."""
    where = JobFilter(key=key)
    return _narrow(where, where.query()).order_by().exists()


def made_at(job_id: UUID) -> datetime:
    """When a job was made, as its id says (the real clock, to the millisecond)."""
    return datetime.fromtimestamp((job_id.int >> 80) / 1000, UTC)


def id_floor(moment: datetime) -> UUID:
    """The smallest id that can have been made at that moment or later."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def _indexed(where: JobFilter) -> JobFilter:
    """The part of a filter that the database finds without looking at other rows."""
    state = "" if where.state in _CLOCKED else where.state
    return replace(where, state=state, queue="", error="", args=None, worker="", correlation_id="")


def _older(jobs: QuerySet[JobRecord], after: UUID | None) -> QuerySet[JobRecord]:
    return jobs if after is None else jobs.filter(pk__lt=after)


def _narrow(where: JobFilter, jobs: QuerySet[JobRecord]) -> QuerySet[JobRecord]:
    """Say the same in words that the indexes know. No job is left out by it.

    An id is made no later than its row, seldom much earlier: that of a batch's callback is made
    with the batch. Hence the slack of a day. A key has an index for each of its three cases.
    """
    if where.key:
        jobs = jobs.filter(Q(state__in=OPEN) | Q(state=State.DEAD) | Q(finished_at__isnull=False))
    if where.created_from:
        lowest = id_floor(where.created_from - clock.offset() - timedelta(days=1))
        jobs = jobs.filter(pk__gte=lowest)
    if where.created_to:
        highest = id_floor(where.created_to - clock.offset() + timedelta(minutes=1))
        jobs = jobs.filter(pk__lt=highest)
    return jobs


def _full(jobs: "QuerySet[JobRecord] | list[JobRecord]", size: int) -> JobsPage:
    found = list(jobs[: size + 1])
    more = len(found) > size
    return JobsPage(found[:size], found[size - 1].pk if more else None)
