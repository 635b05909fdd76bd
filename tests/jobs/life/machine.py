"""Any order of calls, leases, ends, losses and clicks, beside a model of what should come of it."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jobs import errors
from jobs.ending import leases_release, outcomes_write
from jobs.enqueue import enqueue_many
from jobs.lease import leases_reap
from jobs.lines import lines_wake
from jobs.models import Job, Priority
from jobs.operations import job_cancel, job_discard, job_replay, job_run_now
from jobs.registry import JobKind
from lib import clock
from tests.jobs import play
from tests.jobs.life import invariants
from tests.jobs.life.model import Known, Unit, World

KEYS = st.sampled_from([None, "a", "a", "b"])
UNIQUE = st.sampled_from([None, None, "u", "v"])
SPANS = st.sampled_from([timedelta(0), timedelta(0), timedelta(minutes=5), timedelta(hours=2)])
PICK = st.integers(0, 10**6)
TABLES = (
    "jobs_job", "jobs_jobhistory", "jobs_jobattempt", "jobs_jobstat", "jobs_uniquekey",
    "jobs_partitionwake", "jobs_auditentry",
)  # fmt: skip


class Life(RuleBasedStateMachine):
    """The life of jobs. `kinds`: a strict one and one that lets others go ahead."""

    kinds: tuple[JobKind[Any], JobKind[Any]]
    rival: psycopg.Connection[Any]  # a connection that holds the lock of a line now and then

    def __init__(self) -> None:
        super().__init__()
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table}")
        self.world = World()
        self.time = ExitStack()
        self.held: str | None = None

    def teardown(self) -> None:
        self._let_go()
        self.time.close()

    # Calls

    @rule(
        calls=st.lists(
            st.tuples(KEYS, UNIQUE, SPANS, st.booleans(), st.sampled_from(Priority)),
            min_size=1, max_size=4,
        )
    )  # fmt: skip
    def enqueue(self, calls: list[tuple[Any, ...]]) -> None:
        if self.held:
            calls = [call for call in calls if call[0] is None]
        made = enqueue_many(
            [
                (
                    self.kinds[ahead],
                    {"partition": key, "unique": unique, "delay": span, "priority": int(priority)},
                )
                for key, unique, span, ahead, priority in calls
            ]
        )
        for one, (key, unique, _, ahead, _) in zip(made, calls, strict=True):
            holder = self.world.holder(unique) if unique else None
            assert one.deduplicated == (holder is not None)
            if holder is None:
                run_at = play.job(one.id).run_at
                self.world.jobs[one.id] = Known(one.id, key, unique, ahead, run_at)
            else:
                assert one.id == holder.id

    # Leases and their ends

    @rule(
        limit=st.integers(1, 6), chain=st.sampled_from([0, 2, 9]), fair=st.booleans(),
        worker=st.sampled_from(["w1", "w2"]),
    )  # fmt: skip
    def lease(self, limit: int, chain: int, fair: bool, worker: str) -> None:
        held = play.lease(limit=limit, chain=chain, oldest_first=fair, worker=worker)
        assert len(held) <= limit
        units: dict[Any, Unit] = {}
        for one in held:
            self.world.leased(one)
            unit = units.setdefault(one.partition_key or one.id, Unit(worker, []))
            unit.leases.append(one)
        for unit in units.values():
            seqs = [one.seq for one in unit.leases]
            assert seqs == sorted(seqs)
        self.world.units += units.values()
        if len(held) < limit:
            assert not Job.objects.filter(
                state__in=invariants.WAITING, blocked=False, run_at__lte=clock.now()
            ).exists()

    @precondition(lambda self: self.world.units)
    @rule(
        pick=PICK, span=SPANS,
        name=st.sampled_from(["completed", "retried", "snoozed", "crashed", "dead", "cancelled"]),
    )  # fmt: skip
    def end(self, pick: int, name: str, span: timedelta) -> None:
        unit = self._unit(pick)
        head = unit.leases.pop(0)
        job = self.world.jobs[head.id]
        end = play.ended(
            head, name, run_in=span if name in {"retried", "snoozed", "crashed"} else None
        )
        assert outcomes_write([end]) == {head.id}
        waits = play.job(head.id).run_at if end.run_at is not None else None
        self.world.ended(head, name, waits)
        if waits is not None and not job.skip_ahead:
            self._release(unit)
        self._tidy()

    @precondition(lambda self: self.world.units)
    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        self._release(self._unit(pick))
        self._tidy()

    @precondition(lambda self: self.world.stale)
    @rule(
        pick=PICK, name=st.sampled_from(["completed", "retried", "released", "dead", "cancelled"])
    )
    def stale_end(self, pick: int, name: str) -> None:
        old = self.world.stale[pick % len(self.world.stale)]
        assert play.finish(old, name=name) == set()

    # Losses

    @precondition(lambda self: self.world.units)
    @rule(pick=PICK)
    def lease_runs_out(self, pick: int) -> None:
        unit = self._unit(pick)
        play.lapse(*unit.leases)
        assert {lost.id for lost in leases_reap()} == {one.id for one in unit.leases}
        self._lose(unit, {one.id for one in unit.leases})

    @precondition(lambda self: self.world.units)
    @rule(pick=PICK, is_known=st.booleans())
    def worker_dies(self, pick: int, is_known: bool) -> None:
        unit = self._unit(pick)
        culprits = {unit.leases[0].id}
        known = [unit.worker] if is_known else []
        leases_reap(worker=unit.worker, known=known, culprits=list(culprits))
        for each in [one for one in self.world.units if one.worker == unit.worker]:
            self._lose(each, culprits if is_known else {one.id for one in each.leases})

    # Clicks

    @precondition(lambda self: self.world.jobs)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        job = self._job(pick)
        try:
            result = job_cancel(job_id=job.id, by=None)
        except errors.JobNotCancellable:
            assert not job.is_open
            return
        assert result == ("cancelling" if job.state == "running" else "cancelled")
        if job.state == "waiting":
            job.state = "cancelled"

    @precondition(lambda self: self.world.jobs)
    @rule(pick=PICK)
    def run_now(self, pick: int) -> None:
        job = self._job(pick)
        rival = self.world.holder(job.unique) if job.unique and job.state == "dead" else None
        try:
            job_run_now(job_id=job.id, by=None)
        except errors.UniqueConflict:
            assert rival is not None
            return
        except (errors.JobNotRetryable, errors.JobNotCancellable):
            assert job.state not in {"waiting", "dead"}
            return
        assert rival is None
        if job.state == "dead":
            job.attempt = job.crashes = 0
        job.state, job.run_at = "waiting", play.job(job.id).run_at

    @precondition(lambda self: self.world.jobs and not self.held)
    @rule(pick=PICK)
    def replay(self, pick: int) -> None:
        job = self._job(pick)
        try:
            new = job_replay(job_id=job.id, by=None)
        except errors.JobNotReplayable:
            assert job.is_open
            return
        if job.state == "dead":
            job.state = "put away"
        row = play.job(new)
        self.world.jobs[new] = Known(new, job.key, None, job.skip_ahead, row.run_at)

    @precondition(lambda self: self.world.jobs)
    @rule(pick=PICK)
    def discard(self, pick: int) -> None:
        job = self._job(pick)
        try:
            job_discard(job_id=job.id, by=None)
        except (errors.JobNotReplayable, errors.JobNotCancellable):
            assert job.state != "dead"
        else:
            assert job.state == "dead"
            job.state = "put away"

    # Time, and others

    @rule(span=st.sampled_from([timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=3)]))
    def time_passes(self, span: timedelta) -> None:
        self.time.enter_context(clock.shift(span))

    @precondition(lambda self: not self.held)
    @rule(key=st.sampled_from(["a", "b"]))
    def somebody_enters_a_line_and_takes_long(self, key: str) -> None:
        self.rival.execute("BEGIN")
        self.rival.execute("SELECT pg_advisory_xact_lock(748201, jobs_line_lock(%s))", [key])
        self.held = key

    @precondition(lambda self: self.held)
    @rule()
    def somebody_is_through(self) -> None:
        self._let_go()
        assert lines_wake() == 0

    @invariant()
    def all_is_well(self) -> None:
        if self.held:
            lines_wake()
        invariants.check(self.world, settled=self.held is None)

    def _let_go(self) -> None:
        if self.held:
            self.rival.execute("COMMIT")
            self.held = None

    def _unit(self, pick: int) -> Unit:
        return self.world.units[pick % len(self.world.units)]

    def _job(self, pick: int) -> Known:
        ids: list[UUID] = list(self.world.jobs)
        return self.world.jobs[ids[pick % len(ids)]]

    def _release(self, unit: Unit) -> None:
        assert leases_release(unit.leases) == {one.id for one in unit.leases}
        for one in unit.leases:
            self.world.ended(one, "released")
        unit.leases.clear()

    def _lose(self, unit: Unit, suspects: set[UUID]) -> None:
        for one in unit.leases:
            self.world.reaped(one, suspect=one.id in suspects)
        unit.leases.clear()
        self._tidy()

    def _tidy(self) -> None:
        self.world.units = [unit for unit in self.world.units if unit.leases]
