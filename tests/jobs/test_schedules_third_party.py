"""Rows that libraries made with django_q.tasks.schedule() are fired as theirs."""

from datetime import timedelta
from typing import Any

import pytest
from django_q.models import Schedule, Success
from django_q.tasks import schedule

from jobs.models import Job, JobHistory, ScheduleEntry, ScheduleFire
from jobs.schedules import _fire_row, fire_now, schedules_fire
from jobs.testing import drain
from lib import clock

calls: list[Any] = []


def note(*args: Any, **kwargs: Any) -> str:
    calls.append((args, kwargs))
    return "noted"


def hooked(task: Any) -> None:
    calls.append(("hook", task.result))


NOTE, HOOK = f"{__name__}.note", f"{__name__}.hooked"


@pytest.fixture(autouse=True)
def alone(committed: None) -> None:
    """No other schedules, no calls of another test."""
    calls.clear()
    Schedule.objects.all().delete()


def _fire() -> None:
    assert schedules_fire() == 1
    assert drain() == 1


@pytest.mark.parametrize(
    ("args", "kwargs", "seen"),
    [
        ((), {}, ((), {})),
        ((4,), {}, ((4,), {})),
        ((1, "two", [3]), {"x": 1, "y": "z"}, ((1, "two", [3]), {"x": 1, "y": "z"})),
    ],
)
def test_args_come_as_they_were_given(args: Any, kwargs: Any, seen: Any) -> None:
    schedule(NOTE, *args, **kwargs)
    _fire()
    assert calls == [seen]


@pytest.mark.parametrize(("args", "kwargs"), [("5", "x=1, y='z'"), ("(5,)", "{'x': 1, 'y': 'z'}")])
def test_args_that_were_typed_into_the_admin_are_read(args: str, kwargs: str) -> None:
    Schedule.objects.create(func=NOTE, args=args, kwargs=kwargs)
    _fire()
    assert calls == [((5,), {"x": 1, "y": "z"})]


def test_once_is_once() -> None:
    schedule(NOTE)
    _fire()
    with clock.shift(timedelta(days=9)):
        assert schedules_fire() == 0
    assert len(calls) == 1


def test_who_waited_for_the_lock_of_one_that_runs_once_leaves_it_alone() -> None:
    row = schedule(NOTE)
    _fire()
    assert _fire_row(row.pk) == 0  # found due before it ran
    assert ScheduleEntry.objects.get(schedule=row).quarantined_at is None
    drain()
    assert len(calls) == 1


def test_repeats_run_out() -> None:
    schedule(NOTE, schedule_type=Schedule.HOURLY, repeats=2)
    for hours in range(5):
        with clock.shift(timedelta(hours=hours, minutes=1)):
            schedules_fire()
            drain()
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("when", "ahead"),
    [
        ({"schedule_type": Schedule.MINUTES, "minutes": 7}, timedelta(minutes=7)),
        ({"schedule_type": Schedule.HOURLY}, timedelta(hours=1)),
        ({"schedule_type": Schedule.DAILY}, timedelta(days=1)),
        ({"schedule_type": Schedule.WEEKLY}, timedelta(weeks=1)),
    ],
)
def test_its_next_run_is_that_of_django_q(when: dict[str, Any], ahead: timedelta) -> None:
    made = schedule(NOTE, **when)
    _fire()
    assert Schedule.objects.get().next_run - made.next_run == ahead


def test_a_cron_of_theirs_follows_our_clock() -> None:
    schedule(NOTE, schedule_type=Schedule.CRON, cron="0 3 * * *")
    with clock.shift(timedelta(days=400)):
        _fire()
        following = Schedule.objects.get().next_run
        assert timedelta(0) < following - clock.now() <= timedelta(days=1)
        assert (following.hour, following.minute) == (3, 0)


def test_missed_runs_fold_into_one() -> None:
    made = schedule(NOTE, schedule_type=Schedule.HOURLY)
    with clock.shift(timedelta(hours=5, minutes=30)):
        _fire()
        assert schedules_fire() == 0
    assert Schedule.objects.get().next_run - made.next_run == timedelta(hours=6)
    assert len(calls) == 1


def test_what_it_made_is_found_from_both_sides() -> None:
    schedule(NOTE, name="theirs")
    _fire()
    fire, row = ScheduleFire.objects.get(), Schedule.objects.get()
    assert JobHistory.objects.get().pk == fire.job_id == ScheduleEntry.objects.get().last_job_id
    assert row.task == Success.objects.get().id
    assert row.success()
    assert Success.objects.get().group == "theirs"


def test_a_hook_and_the_intended_date_are_honoured() -> None:
    made = schedule(NOTE, hook=HOOK, intended_date_kwarg="at")
    _fire()
    assert calls == [((), {"at": made.next_run.isoformat()}), ("hook", "noted")]


def test_it_can_be_run_now() -> None:
    schedule(NOTE, 4, schedule_type=Schedule.HOURLY)
    schedules_fire()
    drain()
    name = ScheduleEntry.objects.get().name
    made = fire_now(name)
    assert str(Job.objects.get().pk) == made
    drain()
    assert len(calls) == 2
