"""Work that comes about by itself is looked for: a job where there is some, nothing where there is none."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import Schedule

from jobs import registry
from jobs.models import Job
from jobs.pool import chores
from jobs.pool.looks import work_look
from jobs.pool.memory import PoolMemory
from jobs.registry import JobKind
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare

pytestmark = pytest.mark.django_db

MORNING = timedelta(hours=7)


def _do() -> None:
    """Single kinds take no args."""


@pytest.fixture
def alone(db: None, declare: Declare, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """No kind but those of the test is declared, and nothing is scheduled."""
    Schedule.objects.all().delete()
    monkeypatch.setattr(registry, "_kinds", {})
    return declare


def looked_for(declare: Declare, query: str, name: str = "tests.kind") -> JobKind[Any]:
    return declare(_do, name=name, single=True, look=query)


def waiting() -> list[str]:
    return list(Job.objects.order_by("seq").values_list("kind", flat=True))


def test_only_where_there_is_work_a_job_is_made(alone: Declare) -> None:
    looked_for(alone, "SELECT 1 FROM jobs_queue", "tests.some")
    looked_for(alone, "SELECT 1 FROM jobs_queue WHERE name = 'nowhere'", "tests.none")
    alone(name="tests.never")
    with CaptureQueriesContext(connection) as asked:
        assert work_look() == ["tests.some"]
    assert waiting() == ["tests.some"]
    looks = [each for each in asked if "jobs_queue WHERE" in each["sql"]]
    assert len(looks) == 1, "one query for all kinds"


def test_where_nothing_is_declared_nothing_is_asked(alone: Declare) -> None:
    alone()
    with CaptureQueriesContext(connection) as asked:
        assert work_look() == []
    assert not asked


def test_many_pools_that_look_make_one_job(alone: Declare) -> None:
    looked_for(alone, "SELECT 1")
    for _ in range(3):
        assert work_look() == ["tests.kind"]
    assert waiting() == ["tests.kind"]


def test_while_one_runs_at_most_one_more_waits(alone: Declare) -> None:
    looked_for(alone, "SELECT 1")
    work_look()
    play.lease_one()
    work_look()
    work_look()
    assert sorted(Job.objects.values_list("state", flat=True)) == ["available", "running"]


def test_one_that_waits_for_later_comes_now(alone: Declare) -> None:
    kind = looked_for(alone, "SELECT 1")
    kind.enqueue(delay=MORNING)
    work_look()
    assert Job.objects.get().run_at <= clock.now()


def test_a_look_goes_by_the_time_of_the_site(alone: Declare) -> None:
    looked_for(alone, f"SELECT 1 WHERE timestamptz '{clock.now() + MORNING}' <= %(now)s")
    assert work_look() == []
    with clock.shift(MORNING):
        assert work_look() == ["tests.kind"]


def test_what_is_refused_holds_up_no_other(
    alone: Declare, caplog: pytest.LogCaptureFixture
) -> None:
    alone(_do, name="tests.a", queue="nowhere", single=True, look="SELECT 1")
    looked_for(alone, "SELECT 1", "tests.b")
    work_look()
    assert waiting() == ["tests.b"]
    assert "tests.a, which is refused" in caplog.text


def test_a_kind_whose_jobs_would_pile_up_cannot_be_looked_for(alone: Declare) -> None:
    with pytest.raises(TypeError, match="only a single kind"):
        alone(look="SELECT 1")


def test_the_pool_looks_now_and_then(alone: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first round looks; those that follow at once do not; one that comes late does again."""
    looked_for(alone, "SELECT 1")
    monkeypatch.setattr(chores, "EVERY_S", 0.0)
    monkeypatch.setattr(chores, "LOOK_S", 3600.0)
    keeper = chores.Chores(PoolMemory(1))
    keeper.run()
    assert waiting() == ["tests.kind"]
    Job.objects.all().delete()
    keeper.run()
    assert waiting() == []
    keeper._look_at -= 3600.0
    keeper.run()
    assert waiting() == ["tests.kind"]


def test_a_look_that_cannot_be_asked_holds_up_no_other_chore(
    alone: Declare, caplog: pytest.LogCaptureFixture
) -> None:
    declared = alone(name="tests.other")
    declared.enqueue()
    held = play.lease_one()
    play.lapse(held)
    looked_for(alone, "SELECT 1 FROM nowhere")
    chores.Chores(PoolMemory(1)).run()
    assert "a chore failed: _look" in caplog.text
