"""A row that cannot be fired is put aside with its reason, while the others fire."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django_q.models import Schedule

from jobs import registry
from jobs.console import schedule_resume
from jobs.models import Job, ScheduleEntry
from jobs.schedules import schedule_edit, schedule_quarantined, schedules_declare, schedules_fire
from lib import clock
from tests.jobs.conftest import Declare

LATE = timedelta(hours=2)


@pytest.fixture
def good(declare: Declare) -> None:
    """One schedule that is well, and due after all the others."""
    declare(name="tests.good", every="61m")
    schedules_declare()
    Schedule.objects.exclude(name="tests.good").delete()


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The schedules of which schedule_quarantined told."""
    told: list[str] = []

    def hear(sender: Any, entry: ScheduleEntry, reason: str, **more: Any) -> None:
        told.append(entry.name)

    schedule_quarantined.connect(hear)
    yield told
    schedule_quarantined.disconnect(hear)


BAD: dict[str, dict[str, Any]] = {
    "args that cannot be read": {"args": "1, 2, open('x')"},
    "args that are half": {"args": "(1, 2"},
    "kwargs that cannot be read": {"kwargs": "a=}{"},
    "kwargs that are no call": {"kwargs": "); print(1"},
    "kwargs with a star": {"kwargs": "**{1: 2}"},
    "kwargs beside other things": {"kwargs": "1, a=2"},
    "options that are none": {"kwargs": "{'q_options': 5}"},
    "a cron that is none": {"schedule_type": Schedule.CRON, "cron": None},
    "a cron that is wrong": {"schedule_type": Schedule.CRON, "cron": "soon"},
    "a type that nobody knows": {"schedule_type": "ZZ"},
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_row_is_put_aside_and_the_others_fire(
    good: None, heard: list[str], name: str
) -> None:
    bad = Schedule.objects.create(name=name, func="math.sqrt", schedule_type="H")
    Schedule.objects.filter(pk=bad.pk).update(**BAD[name])  # past what save() would look at
    with clock.shift(LATE):
        assert schedules_fire() == 1
        assert schedules_fire() == 0
    assert Job.objects.get().kind == "tests.good"
    entry = ScheduleEntry.objects.get(schedule=bad)
    assert entry.quarantined_at is not None
    assert entry.quarantine_reason
    assert heard == [entry.name]


def test_a_kind_that_is_gone_is_put_aside(
    declare: Declare, good: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(registry._kinds, "tests.good")
    with clock.shift(LATE):
        assert schedules_fire() == 0
    entry = ScheduleEntry.objects.get()
    assert entry.quarantine_reason == "KindUnknown: no job is declared as 'tests.good'"


def test_args_that_no_longer_fit_are_put_aside(good: None) -> None:
    ScheduleEntry.objects.update(args={"old": 1})
    with clock.shift(LATE):
        assert schedules_fire() == 0
    reason = ScheduleEntry.objects.get().quarantine_reason
    assert reason.startswith("ArgsInvalid: tests.good: got an unexpected keyword argument")


def test_a_bad_zone_is_put_aside(good: None) -> None:
    ScheduleEntry.objects.update(cron="5 0 * * *", every_s=None, timezone="Mars/Olympus")
    with clock.shift(LATE):
        assert schedules_fire() == 0
    assert not Job.objects.exists()
    assert "is no time zone" in ScheduleEntry.objects.get().quarantine_reason


def test_a_row_that_was_put_aside_gets_another_chance(
    good: None, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.delitem(registry._kinds, "tests.good")
        with clock.shift(LATE):
            schedules_fire()
    with clock.shift(LATE):
        assert schedules_fire() == 0
        schedule_resume(name="tests.good", by=None)
        assert schedules_fire() == 1
    assert ScheduleEntry.objects.get().quarantine_reason == ""


def test_a_new_time_takes_it_back_to_work(good: None) -> None:
    ScheduleEntry.objects.update(quarantined_at=clock.now(), quarantine_reason="it was")
    schedule_edit(ScheduleEntry.objects.get(), every_s=60, cron="")
    with clock.shift(LATE):
        assert schedules_fire() == 1


def test_a_database_that_is_busy_is_no_fault_of_the_row(good: None) -> None:
    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if "INSERT INTO jobs_job" in sql:
            raise OperationalError("deadlock detected")
        return execute(sql, *rest)

    with clock.shift(LATE):
        with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
            schedules_fire()
        assert ScheduleEntry.objects.get().quarantined_at is None
        assert schedules_fire() == 1
