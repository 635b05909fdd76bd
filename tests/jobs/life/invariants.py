"""What must hold in the tables after every step."""

from collections import defaultdict
from typing import Any

from django.db.models import Count, Sum

from jobs import sql
from jobs.models import OPEN, Job, JobAttempt, JobHistory, JobStat, PartitionWake
from tests.jobs.life.model import World

WAITING = ("scheduled", "available")


def check(world: World, settled: bool) -> None:
    """All of them. settled: nobody holds the lock of a line."""
    rows = list(Job.objects.order_by("seq"))
    past = dict(JobHistory.objects.values_list("pk", "state"))
    _each_job_is_in_one_place(world, rows, past)
    _rows_are_as_they_should_be(world, rows)
    _lines_have_one_head(rows, settled)
    _keys_have_one_holder(world)
    _counts_are_exact(world)


def _each_job_is_in_one_place(world: World, rows: list[Job], past: dict[Any, str]) -> None:
    here = {row.pk for row in rows}
    assert len(here) == len(rows)
    assert not here & set(past)
    assert here | set(past) == set(world.jobs)
    assert len(past) == JobHistory.objects.count()


def _rows_are_as_they_should_be(world: World, rows: list[Job]) -> None:
    for row in rows:
        job = world.jobs[row.pk]
        state = "waiting" if row.state in WAITING else row.state
        assert (state, row.attempt, row.crash_count, row.fence) == (
            job.state, job.attempt, job.crashes, job.fence,
        ), (row.state, job)  # fmt: skip


def _lines_have_one_head(rows: list[Job], settled: bool) -> None:
    lines: dict[str, list[Job]] = defaultdict(list)
    for row in rows:
        if row.partition_key and row.state in OPEN:
            lines[row.partition_key].append(row)
    noted = set(PartitionWake.objects.values_list("key", flat=True))
    assert not (settled and noted)
    for key, line in lines.items():
        free = [row for row in line if row.state in WAITING and not row.blocked]
        running = [row for row in line if row.state == "running"]
        assert len({row.worker for row in running}) <= 1, key
        if running:
            assert free == [], key
            assert line[: len(running)] == running, key  # nobody overtakes
        elif key not in noted:
            assert free == line[:1], key
        assert len(free) <= 1


def _keys_have_one_holder(world: World) -> None:
    held = dict(sql.rows("SELECT key, job_id FROM jobs_uniquekey"))
    assert held == {job.unique: job.id for job in world.jobs.values() if job.unique and job.is_open}


def _counts_are_exact(world: World) -> None:
    # Calls are counted by a thread a second later, and not in the model; leases that ran out beside
    # what became of their jobs.
    ends = JobStat.objects.exclude(event__in=["enqueued", "deduplicated", "expired"])
    events = ends.values_list("event").annotate(n=Sum("count"))
    assert dict(events) == +world.counted
    tries = JobAttempt.objects.values_list("job_id").annotate(n=Count("id"))
    assert dict(tries) == {job.id: job.tries for job in world.jobs.values() if job.tries}
