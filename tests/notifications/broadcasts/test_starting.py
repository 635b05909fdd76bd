"""A broadcast starts at its moment, whoever asks; while none is due or sent, nothing runs."""

from datetime import datetime, timedelta

from jobs import sql
from jobs.models import Job, State
from jobs.testing import assert_not_enqueued, drain, job_perform, jobs_of
from lib import clock
from notifications.broadcasts.expansion import batch_expand
from notifications.broadcasts.models import Broadcast, Status
from notifications.broadcasts.services import (
    broadcast_pause,
    broadcast_schedule,
    broadcast_send_now,
)
from notifications.broadcasts.starting import LOOK, START
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, people_make

HOUR = timedelta(hours=1)


def is_looked_for() -> bool:
    return sql.row(LOOK, {"now": clock.now()}) is not None


def moments() -> list[datetime]:
    """When starting is asked for."""
    return sorted(job.run_at for job in jobs_of(START) if job.state != State.COMPLETED)


def test_while_nothing_is_due_nobody_looks() -> None:
    assert not is_looked_for()
    broadcast_make()
    broadcast_make(scheduled_at=clock.now() + HOUR)
    assert not is_looked_for()
    with clock.shift(HOUR):
        assert is_looked_for()


def test_while_one_is_sent_its_jobs_are_looked_after() -> None:
    people_make(3)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    batch_expand(row.pk)
    assert is_looked_for()
    broadcast_pause(broadcast_id=row.pk, by=None)
    assert not is_looked_for()


def test_one_that_has_ended_is_left_alone() -> None:
    people_make(3)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    assert adds_up(row.pk).status == Status.SENT
    assert not is_looked_for()


def test_what_is_scheduled_asks_for_its_moment_in_the_same_transaction() -> None:
    at = clock.now() + timedelta(days=30)
    broadcast_make(scheduled_at=at)
    assert moments() == [at]


def test_the_earlier_of_two_moments_is_asked_for_and_then_the_later_one() -> None:
    late, early = clock.now() + timedelta(days=2), clock.now() + HOUR
    for at in (late, early):
        broadcast_make(scheduled_at=at)
    assert moments() == [early]
    with clock.shift(HOUR):
        drain()
        assert moments() == [late]
    assert sorted(Broadcast.objects.values_list("status", flat=True)) == ["scheduled", "sent"]


def test_a_sweep_that_takes_the_job_of_a_far_moment_asks_for_that_moment_again() -> None:
    at = clock.now() + timedelta(days=30)
    row = broadcast_make(scheduled_at=at)
    for _ in range(3):
        job_perform(START)
        drain()
        assert moments() == [at]
    with clock.shift(timedelta(days=30)):
        drain()
        assert Broadcast.objects.get(pk=row.pk).status != Status.SCHEDULED


def test_one_that_was_put_forward_starts_then() -> None:
    row = broadcast_make(scheduled_at=clock.now() + timedelta(days=30))
    sooner = clock.now() + HOUR
    broadcast_schedule(broadcast_id=row.pk, scheduled_at=sooner, by=None)
    assert moments() == [sooner]


def test_where_nothing_is_scheduled_no_run_asks_for_another() -> None:
    job_perform(START)
    assert_not_enqueued(START)


def test_a_row_that_nobody_announced_is_found() -> None:
    """Plain SQL, or the job of its moment is gone."""
    row = broadcast_make(scheduled_at=clock.now() + HOUR)
    Job.objects.all().delete()
    with clock.shift(HOUR):
        assert is_looked_for()
        job_perform(START)
        drain()
        assert adds_up(row.pk).status != Status.SCHEDULED
