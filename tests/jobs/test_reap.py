"""Taking back what was leased and never came to an end."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from jobs.lease import Reaped, leases_reap
from jobs.models import Job, JobStat
from jobs.registry import JobKind
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare

MAX = settings.JOBS["max_crashes"]


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def test_a_lease_that_holds_is_left_alone(kind: JobKind[Any]) -> None:
    kind.enqueue()
    play.lease()
    assert leases_reap() == []
    assert leases_reap(worker="somebody else") == []


def test_a_lease_that_ran_out_is_taken_back_as_a_crash(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    play.lapse(play.lease_one(worker="w3"))
    assert leases_reap() == [Reaped(made, "tests.kind", "default", "crashed", "w3")]
    row = play.job(made)
    assert (row.state, row.crash_count, row.attempt, row.worker, row.lease_until) == (
        "available", 1, 1, None, None,
    )  # fmt: skip
    assert row.last_error == "its worker ended without a word"
    (tried,) = play.tries(made)
    assert (tried.outcome, tried.worker, tried.attempt, tried.fence) == ("crashed", "w3", 1, 1)
    assert leases_reap() == []
    assert play.lease_one().fence == 2


def test_of_a_worker_that_is_gone_only_the_job_it_was_at_counts_a_crash(kind: JobKind[Any]) -> None:
    jobs = [kind.enqueue(n=n).id for n in range(4)]
    held = play.lease(worker="gone", limit=3)
    play.lease(worker="alive")
    found = {
        lost.id: lost.outcome
        for lost in leases_reap(worker="gone", known=["gone"], culprits=[jobs[1]])
    }
    assert found == {jobs[0]: "released", jobs[1]: "crashed", jobs[2]: "released"}
    rows = [play.job(one.id) for one in held]
    assert [(row.attempt, row.crash_count) for row in rows] == [(0, 0), (1, 1), (0, 0)]
    assert [len(play.tries(row.pk)) for row in rows] == [0, 1, 0]
    assert play.state(jobs[3]) == "running"


def test_of_a_worker_that_died_between_two_jobs_all_are_innocent(kind: JobKind[Any]) -> None:
    for n in range(3):
        kind.enqueue(n=n)
    play.lease(worker="gone")
    assert {lost.outcome for lost in leases_reap(worker="gone", known=["gone"])} == {"released"}
    assert set(Job.objects.values_list("attempt", "crash_count")) == {(0, 0)}


def test_without_a_word_about_culprits_all_of_a_worker_are_suspects(kind: JobKind[Any]) -> None:
    for n in range(3):
        kind.enqueue(n=n)
    play.lease(worker="gone")
    assert {lost.outcome for lost in leases_reap(worker="gone")} == {"crashed"}
    assert set(Job.objects.values_list("crash_count", flat=True)) == {1}


def test_a_job_that_kills_its_workers_is_poison(kind: JobKind[Any]) -> None:
    made = kind.enqueue(unique="u", retry=[0] * 10).id
    outcomes = []
    for _ in range(MAX):
        play.lapse(play.lease_one())
        outcomes += [lost.outcome for lost in leases_reap()]
    assert outcomes == ["crashed", "crashed", "dead"]
    row = play.job(made)
    assert (row.state, row.crash_count) == ("dead", MAX)
    assert row.last_error == "poison: 3 workers ended without a word while they ran it"
    assert [tried.outcome for tried in play.tries(made)] == outcomes
    assert not kind.enqueue(unique="u").deduplicated


def test_crashes_spend_no_rung_of_the_ladder(kind: JobKind[Any]) -> None:
    kind.enqueue(retry=[0, 0])
    for _ in range(MAX - 1):
        play.lapse(play.lease_one())
        leases_reap()
    held = play.lease_one()
    assert (held.attempt, held.crash_count, held.failures) == (3, 2, 1)


def test_the_line_of_a_lost_head_keeps_its_order(kind: JobKind[Any]) -> None:
    for n in (1, 2, 3):
        kind.enqueue(n=n, partition="a")
    play.lapse(*play.lease(chain=9))
    leases_reap()
    assert play.line("a") == [
        (1, "available", False), (2, "available", True), (3, "available", True),
    ]  # fmt: skip


def test_the_line_of_a_poisoned_head_goes_on(kind: JobKind[Any]) -> None:
    for n in (1, 2):
        kind.enqueue(n=n, partition="a")
    Job.objects.update(crash_count=MAX - 1)
    play.lapse(play.lease_one())
    leases_reap()
    assert play.line("a") == [(2, "available", False)]


def test_a_limit_takes_back_that_many_and_the_rest_later(kind: JobKind[Any]) -> None:
    for n in range(5):
        kind.enqueue(n=n)
    play.lapse(*play.lease())
    assert [len(leases_reap(limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_wish_to_cancel_survives_the_worker(kind: JobKind[Any]) -> None:
    kind.enqueue()
    held = play.lease_one()
    Job.objects.update(cancel_requested_at=clock.now())
    play.lapse(held)
    leases_reap()
    assert play.lease_one().cancel_requested


def test_leases_follow_the_clock_of_the_database_not_ours(kind: JobKind[Any]) -> None:
    with clock.shift(timedelta(days=5)):
        kind.enqueue()
        play.lease()
        assert leases_reap() == []


def test_what_was_taken_back_is_counted(kind: JobKind[Any]) -> None:
    jobs = [kind.enqueue(n=n).id for n in range(3)]
    Job.objects.filter(pk=jobs[0]).update(crash_count=MAX - 1)
    play.lapse(*play.lease())
    leases_reap()
    counts = {stat.event: stat.count for stat in JobStat.objects.all()}
    assert counts == {"crashed": 2, "dead": 1, "expired": 3}


def test_what_is_taken_from_a_dead_worker_has_not_expired(kind: JobKind[Any]) -> None:
    kind.enqueue()
    held = play.lease_one(worker="ours")
    leases_reap(worker="ours", known=["ours"], culprits=[held.id])
    assert {stat.event: stat.count for stat in JobStat.objects.all()} == {"crashed": 1}


def test_leases_that_ran_out_are_counted_with_the_taking_back(kind: JobKind[Any]) -> None:
    """Rolled back: neither. Nothing ran out: nothing is written."""
    kind.enqueue()
    play.lapse(play.lease_one())
    with transaction.atomic():
        assert len(leases_reap()) == 1
        transaction.set_rollback(True)
    assert not JobStat.objects.exists()
    assert len(leases_reap()) == 1
    assert leases_reap() == []
    expired = JobStat.objects.get(event="expired")
    assert (expired.kind, expired.queue, expired.count) == (kind.name, kind.queue, 1)
