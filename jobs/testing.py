"""For tests of code that enqueues jobs; shipped, so that every app tests the same way.

    with inline():                       # what is enqueued runs at once
        order_place(...)
    drain()                              # run what is due now, like a worker would
    with clock.shift(timedelta(hours=1)): drain()
    job = assert_enqueued("telegram.send_now", telegram_id=7)
    assert_not_enqueued("telegram.send_now")
    outcome = job_perform("reports.daily", day="2026-11-22")    # the function, under a context

All of it uses the real tables and the real engine, in the thread and transaction of the test.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from jobs.context import JobContext, enter
from jobs.engine.lane import Lane
from jobs.enqueue import after_enqueue
from jobs.lease import Lease, jobs_lease
from jobs.models import WAITING, Job, JobRecord, State
from jobs.outcomes import Done, Outcome
from jobs.registry import Enqueued, kind_get
from lib import clock
from lib.ids import uuid7

MOST = 10_000  # jobs in one drain; more is a loop that never ends


def drain(*, queues: Sequence[str] | None = None, limit: int = MOST) -> int:
    """Run all jobs that are due, and those that they enqueue, as a worker would. Returns how many."""
    lane = Lane("drain", "test:drain", list(queues or settings.JOBS["queues"]), None)
    count = 0
    while count < limit:
        found = lane.turn(threading.Event())
        if not found:
            return count
        count += found
    raise AssertionError(f"still jobs after {limit}: does one of them enqueue itself?")


@contextmanager
def inline() -> Iterator[None]:
    """Run what is enqueued inside of the block at once, unless its time lies ahead."""
    running = False

    def run(_: Sequence[Enqueued]) -> None:
        nonlocal running
        if not running:  # jobs enqueued by jobs are reached by the drain that runs already
            running = True
            try:
                drain()
            finally:
                running = False

    token = after_enqueue.set(run)
    try:
        yield
    finally:
        after_enqueue.reset(token)


def jobs_of(kind: str, **args: Any) -> list[JobRecord]:
    """Jobs of a kind, in any state, whose args contain these; oldest first."""
    found = JobRecord.objects.filter(kind=kind)
    if args:
        found = found.filter(args__contains=orjson.loads(orjson.dumps(args)))
    return list(found.order_by("seq"))


def assert_enqueued(kind: str, *, times: int = 1, **args: Any) -> JobRecord:
    """Exactly so many waiting jobs of the kind have these args. Returns the newest."""
    kind_get(kind)  # a misspelt kind must not pass
    found = [job for job in jobs_of(kind, **args) if job.state in WAITING]
    if len(found) != times:
        others = [(job.args, job.state) for job in jobs_of(kind)]
        raise AssertionError(
            f"{len(found)} waiting {kind} with {args}, not {times}; there are {others}"
        )
    return found[-1]


def assert_not_enqueued(kind: str, **args: Any) -> None:
    """No waiting job of the kind has these args."""
    kind_get(kind)
    found = [job.args for job in jobs_of(kind, **args) if job.state in WAITING]
    if found:
        raise AssertionError(f"{kind} is waiting: {found}")


def job_perform(kind_name: str, **args: Any) -> Outcome:
    """Call a kind's function with args that went through JSON, under a context. Gives its outcome."""
    kind = kind_get(kind_name)
    kind.check(args)
    enter(JobContext(uuid7(), kind.name, 1, kind.retry.attempts, 1))
    try:
        result = kind.function(**orjson.loads(orjson.dumps(args)))
    finally:
        enter(None)
    return result if isinstance(result, Outcome) else Done(result)


def job_state(job_id: UUID) -> str:
    """The state of a job as it stands in the tables."""
    return JobRecord.objects.get(pk=job_id).state


def lease_make(job_id: UUID) -> Lease:
    """Lease one waiting job for a test that plays the worker. Asserts that it was due."""
    job = Job.objects.get(pk=job_id)
    assert job.state in {State.AVAILABLE, State.SCHEDULED}, job.state
    assert job.run_at <= clock.now(), "not due yet"
    found = [
        lease
        for lease in jobs_lease(queues=[job.queue], limit=100, worker="test:lease")
        if lease.id == job_id
    ]
    assert found, "somebody else's rules kept it from being leased"
    return found[0]
