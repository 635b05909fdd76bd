"""What has served goes; what is still needed stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django_q.models import Schedule

from jobs import rates, sql
from jobs.batches import batch_open, batch_seal
from jobs.leftovers import leftovers_drop
from jobs.models import Batch, Job, RateBucket, ScheduleFire, UniqueKey
from jobs.registry import JobKind, Rate
from jobs.schedules import schedules_declare, schedules_fire
from jobs.tasks import keep_history
from jobs.testing import drain
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare

HISTORY = timedelta(days=settings.JOBS["history_days"])
DEAD = timedelta(days=settings.JOBS["dead_days"])
MINUTE = timedelta(minutes=1)


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def _keys() -> set[str]:
    return set(UniqueKey.objects.values_list("key", flat=True))


def test_keys_whose_time_is_over_go(kind: JobKind[Any]) -> None:
    kind.enqueue(unique="short", unique_ttl="1h")
    kind.enqueue(unique="long", unique_ttl="3h")
    kind.enqueue(unique="open")
    with clock.shift(timedelta(hours=2)):
        assert leftovers_drop()["unique_keys"] == 1
        assert _keys() == {"long", "open"}
        assert kind.enqueue(unique="long").deduplicated
        assert kind.enqueue(unique="open").deduplicated


def test_buckets_that_are_full_since_long_go() -> None:
    for name in ("old", "paused", "young"):
        rates.take(name, Rate(1, "1h"))
    sql.run("UPDATE jobs_ratebucket SET tat = tat - interval '2 days' WHERE name <> 'young'")
    rates.pause("paused", timedelta(hours=1))
    assert leftovers_drop()["buckets"] == 1
    assert set(RateBucket.objects.values_list("name", flat=True)) == {"paused", "young"}


def test_fired_slots_go_with_the_history(declare: Declare) -> None:
    declare(every="1h")
    schedules_declare()
    Schedule.objects.exclude(name="tests.kind").delete()
    with clock.shift(timedelta(hours=2)):
        schedules_fire()
        drain()
    with clock.shift(HISTORY):
        schedules_fire()
        assert leftovers_drop()["fires"] == 0
    with clock.shift(HISTORY + timedelta(hours=2)):
        assert leftovers_drop()["fires"] == 1
    assert ScheduleFire.objects.count() == 1


def test_ended_batches_go_with_the_history_unless_a_job_of_theirs_is_left(
    kind: JobKind[Any],
) -> None:
    ended, with_dead, still_open = batch_open(), batch_open(), batch_open()
    kind.enqueue(batch=ended)
    play.finish(play.lease_one())
    kind.enqueue(batch=with_dead)
    play.finish(play.lease_one(), name="dead")
    for batch in (ended, with_dead):
        batch_seal(batch)
    with clock.shift(HISTORY - MINUTE):
        assert leftovers_drop()["batches"] == 0
    with clock.shift(HISTORY + MINUTE):
        assert leftovers_drop()["batches"] == 1
    assert set(Batch.objects.values_list("pk", flat=True)) == {with_dead, still_open}


def test_dead_letters_that_nobody_looked_at_are_put_away(kind: JobKind[Any]) -> None:
    dead, waiting = kind.enqueue(n=1).id, kind.enqueue(n=2, delay="300d").id
    play.finish(play.lease_one(), name="dead", error="the reason")
    with clock.shift(DEAD - MINUTE):
        assert leftovers_drop()["dead"] == 0
    with clock.shift(DEAD + MINUTE):
        assert leftovers_drop()["dead"] == 1
        assert leftovers_drop()["dead"] == 0
    gone = play.past(dead)
    assert (gone.state, gone.last_error, gone.resolution) == (
        "dead", "the reason", "nobody looked for 90 days",
    )  # fmt: skip
    assert [row.pk for row in Job.objects.all()] == [waiting]


def test_the_platform_does_it_by_itself(declare: Declare) -> None:
    done = keep_history()
    assert set(done) == {"dropped", "workers_forgotten", "leftovers"}
    assert set(done["leftovers"]) == {"unique_keys", "buckets", "fires", "batches", "dead"}
