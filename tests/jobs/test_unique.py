"""Unique keys: one open job per key, or one call per key and time."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from jobs.enqueue import enqueue_many
from jobs.lease import leases_reap
from jobs.models import Job, UniqueKey
from jobs.registry import JobKind
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def test_a_second_call_finds_the_first_job(kind: JobKind[Any]) -> None:
    first = kind.enqueue(n=1, unique=("order", 7))
    second = kind.enqueue(n=2, unique=("order", 7))
    assert (second.id, second.deduplicated) == (first.id, True)
    assert play.job(first.id).args == {"n": 1}
    assert Job.objects.count() == 1


def test_other_keys_are_independent(kind: JobKind[Any]) -> None:
    assert not kind.enqueue(unique="a").deduplicated
    assert not kind.enqueue(unique="b").deduplicated
    assert not kind.enqueue().deduplicated


def test_a_key_is_held_while_its_job_is_open(kind: JobKind[Any]) -> None:
    first = kind.enqueue(unique="a")
    held = play.lease_one()
    assert kind.enqueue(unique="a").id == first.id
    play.finish(held, name="retried", run_in=timedelta(minutes=5))
    assert kind.enqueue(unique="a").id == first.id


@pytest.mark.parametrize("name", ["completed", "dead", "cancelled"])
def test_a_key_is_free_when_its_job_has_ended(kind: JobKind[Any], name: str) -> None:
    first = kind.enqueue(unique="a")
    play.finish(play.lease_one(), name=name)
    second = kind.enqueue(unique="a")
    assert (second.deduplicated, second.id != first.id) == (False, True)
    # The row cannot be read whole: its end is "infinity", which no datetime holds.
    assert UniqueKey.objects.values_list("job_id", flat=True).get() == second.id


def test_a_key_with_a_time_outlives_its_job(kind: JobKind[Any]) -> None:
    first = kind.enqueue(unique="a", unique_ttl="1h")
    play.finish(play.lease_one())
    assert kind.enqueue(unique="a", unique_ttl="1h").id == first.id
    with clock.shift(timedelta(minutes=61)):
        assert not kind.enqueue(unique="a", unique_ttl="1h").deduplicated


def test_a_key_with_a_time_may_lapse_before_its_job_has_ended(kind: JobKind[Any]) -> None:
    first = kind.enqueue(unique="a", unique_ttl="1m")
    with clock.shift(timedelta(minutes=2)):
        second = kind.enqueue(unique="a")
        assert not second.deduplicated
        # The end of the former holder does not free the key of the present one.
        held = play.lease(limit=1)
        assert held[0].id == first.id
        play.finish(*held)
        assert kind.enqueue(unique="a").id == second.id


def test_a_call_that_was_rolled_back_holds_nothing(kind: JobKind[Any]) -> None:
    with transaction.atomic():
        kind.enqueue(unique="a")
        transaction.set_rollback(True)
    assert not kind.enqueue(unique="a").deduplicated


def test_in_one_batch_the_first_call_of_a_key_wins(kind: JobKind[Any]) -> None:
    kind.enqueue(n=0, unique="b")
    made = enqueue_many(
        [(kind, {"n": n, "unique": key}) for n, key in enumerate("abacab", start=1)]
    )
    assert [one.deduplicated for one in made] == [False, True, True, False, True, True]
    assert made[0].id == made[2].id == made[4].id
    rows = sorted(row.args["n"] for row in Job.objects.all())
    assert rows == [0, 1, 4]


def test_a_found_job_adds_nothing_to_a_line(kind: JobKind[Any]) -> None:
    kind.enqueue(n=1, unique="a", partition="k")
    kind.enqueue(n=2, unique="a", partition="k")
    assert play.line("k") == [(1, "available", False)]


def test_a_reaped_job_keeps_its_key(kind: JobKind[Any]) -> None:
    first = kind.enqueue(unique="a")
    play.lapse(play.lease_one())
    leases_reap()
    assert kind.enqueue(unique="a").id == first.id
