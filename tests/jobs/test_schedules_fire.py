"""Firing: to the second, once per slot, and what was missed folds into one."""

from datetime import timedelta
from typing import Any

import pytest
from django_q.models import Schedule

from jobs.console import schedule_pause, schedule_resume, schedule_run_now
from jobs.models import Job, JobHistory, ScheduleEntry, ScheduleFire
from jobs.registry import JobKind
from jobs.schedules import schedules_declare, schedules_fire
from jobs.testing import drain
from lib import clock
from lib.errors import NotFound
from tests.jobs.conftest import Declare

HOUR = timedelta(hours=1)


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    """A kind that runs each hour; the only schedule there is."""
    kind = declare(every="1h")
    schedules_declare()
    Schedule.objects.exclude(name="tests.kind").delete()
    return kind


def _entry() -> ScheduleEntry:
    return ScheduleEntry.objects.select_related("schedule").get()


def test_a_schedule_fires_at_its_time_and_not_before(kind: JobKind[Any]) -> None:
    slot = _entry().schedule.next_run
    assert schedules_fire() == 0
    with clock.shift(slot - clock.now() + timedelta(milliseconds=1)):
        assert schedules_fire() == 1
        assert schedules_fire() == 0
        assert drain() == 1
    entry, fire = _entry(), ScheduleFire.objects.get()
    assert (fire.entry_id, fire.slot_at, fire.job_id) == (
        entry.pk,
        slot,
        JobHistory.objects.get().pk,
    )
    assert (entry.last_slot_at, entry.last_job_id) == (slot, fire.job_id)
    assert entry.schedule.next_run == slot + HOUR
    assert entry.schedule.task == fire.job_id.hex


def test_slots_that_were_missed_fold_into_one_and_the_grid_stays(kind: JobKind[Any]) -> None:
    slot = _entry().schedule.next_run
    with clock.shift(5 * HOUR + timedelta(minutes=30)):
        assert schedules_fire() == 1
        assert schedules_fire() == 0
    assert _entry().schedule.next_run == slot + 5 * HOUR


def test_a_cron_that_missed_slots_fires_once(kind: JobKind[Any], declare: Declare) -> None:
    declare(cron="0 * * * *")
    schedules_declare()
    Schedule.objects.exclude(name="tests.kind").delete()
    with clock.shift(timedelta(days=2)):
        assert [schedules_fire() for _ in range(3)] == [1, 0, 0]
        assert timedelta(0) < _entry().schedule.next_run - clock.now() <= HOUR


def test_a_slot_is_fired_once_whoever_puts_the_time_back(kind: JobKind[Any]) -> None:
    entry = _entry()
    slot = entry.schedule.next_run
    with clock.shift(HOUR + timedelta(minutes=1)):
        schedules_fire()
        drain()
        Schedule.objects.update(next_run=slot)
        assert schedules_fire() == 0
        assert _entry().schedule.next_run > clock.now()
    assert (ScheduleFire.objects.count(), JobHistory.objects.count()) == (1, 1)


def test_a_slot_adds_nothing_while_the_last_run_still_waits(kind: JobKind[Any]) -> None:
    for hours in (1, 2, 3):
        with clock.shift(hours * HOUR + timedelta(minutes=1)):
            schedules_fire()
    assert Job.objects.count() == 1
    assert ScheduleFire.objects.count() == 3


def test_jitter_puts_the_job_off_by_at_most_so_much(kind: JobKind[Any], declare: Declare) -> None:
    declare(every="1h", jitter="10m")
    schedules_declare()
    Schedule.objects.exclude(name="tests.kind").delete()
    with clock.shift(2 * HOUR):
        schedules_fire()
        row = Job.objects.get()
    assert timedelta(0) <= row.run_at - row.created_at <= timedelta(minutes=10)


def test_all_that_are_due_fire_the_oldest_first(declare: Declare, kind: JobKind[Any]) -> None:
    for minutes in range(60, 0, -1):
        declare(name=f"tests.kind_{minutes:02d}", every=timedelta(minutes=minutes))
    schedules_declare()
    Schedule.objects.exclude(name__startswith="tests.").delete()
    with clock.shift(2 * HOUR):
        assert schedules_fire() + schedules_fire() == 61
    kinds = list(Job.objects.order_by("seq").values_list("kind", flat=True))
    assert kinds[:3] == ["tests.kind_01", "tests.kind_02", "tests.kind_03"]


def test_args_of_an_entry_are_those_of_its_job(kind: JobKind[Any]) -> None:
    ScheduleEntry.objects.update(args={"n": 7})
    with clock.shift(2 * HOUR):
        schedules_fire()
    assert Job.objects.get().args == {"n": 7}


def test_a_paused_schedule_does_not_fire_and_goes_on_with_the_next_slot(kind: JobKind[Any]) -> None:
    slot = _entry().schedule.next_run
    schedule_pause(name="tests.kind", by=None)
    with clock.shift(3 * HOUR + timedelta(minutes=5)):
        assert schedules_fire() == 0
        schedule_resume(name="tests.kind", by=None)
        assert schedules_fire() == 0
        assert _entry().schedule.next_run == slot + 3 * HOUR
    with clock.shift(4 * HOUR + timedelta(minutes=5)):
        assert schedules_fire() == 1


def test_a_schedule_can_be_run_now_besides_its_slots(kind: JobKind[Any]) -> None:
    before = _entry().schedule.next_run
    made = schedule_run_now(name="tests.kind", by=None)
    assert Job.objects.get().pk == made == _entry().last_job_id
    assert _entry().schedule.next_run == before
    assert schedule_run_now(name="tests.kind", by=None) == made
    assert not ScheduleFire.objects.exists()


def test_a_paused_schedule_can_be_run_now(kind: JobKind[Any]) -> None:
    schedule_pause(name="tests.kind", by=None)
    schedule_run_now(name="tests.kind", by=None)
    assert drain() == 1


def test_an_unknown_schedule_is_not_found() -> None:
    for act in (schedule_run_now, schedule_pause, schedule_resume):
        with pytest.raises(NotFound, match="there is no schedule 'nowhere'"):
            act(name="nowhere", by=None)


def test_nothing_due_costs_one_query(kind: JobKind[Any], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert schedules_fire() == 0
