"""Schedules that kinds declare become rows, and what people change there stays."""

from datetime import timedelta
from typing import Any

import pytest
from django_q.models import Schedule

from jobs import registry
from jobs.crons import CronInvalid
from jobs.models import ScheduleEntry
from jobs.schedules import schedule_edit, schedules_declare
from lib import clock
from tests.jobs.conftest import Declare


def _declared(declare: Declare, **when: Any) -> ScheduleEntry:
    declare(**when)
    schedules_declare()
    return _entry()


def _entry() -> ScheduleEntry:
    return ScheduleEntry.objects.select_related("schedule").get(name="tests.kind")


def _rows() -> list[dict[str, Any]]:
    return [
        *Schedule.objects.order_by("id").values(),
        *ScheduleEntry.objects.order_by("id").values(),
    ]


def test_an_interval_becomes_a_row_that_runs_after_it(declare: Declare) -> None:
    entry = _declared(declare, every="15s", jitter="2s")
    assert (entry.kind, entry.every_s, entry.cron, entry.jitter_s, entry.is_declared) == (
        "tests.kind", 15, "", 2, True,
    )  # fmt: skip
    ahead = entry.schedule.next_run - clock.now()
    assert timedelta(seconds=14) < ahead <= timedelta(seconds=15)
    assert (entry.schedule.name, entry.schedule.repeats) == ("tests.kind", -1)


def test_a_cron_becomes_a_row_that_runs_at_its_time(declare: Declare) -> None:
    entry = _declared(declare, cron="5 0 * * *")
    assert (entry.schedule.next_run.hour, entry.schedule.next_run.minute) == (0, 5)
    assert entry.schedule.next_run > clock.now()
    assert entry.schedule.cron == "5 0 * * *"


def test_six_fields_are_kept_where_django_q_cannot(declare: Declare) -> None:
    entry = _declared(declare, cron="*/15 * * * * *")
    assert (entry.cron, entry.schedule.cron) == ("*/15 * * * * *", None)
    assert entry.schedule.next_run - clock.now() <= timedelta(seconds=15)


def test_an_immediate_one_is_due_at_once_but_only_the_first_time(declare: Declare) -> None:
    entry = _declared(declare, every="1h", immediate=True)
    assert entry.schedule.next_run <= clock.now()
    Schedule.objects.filter(pk=entry.schedule_id).update(next_run=clock.now() + timedelta(hours=1))
    schedules_declare()
    assert _entry().schedule.next_run > clock.now()


def test_a_kind_without_a_time_has_no_row(declare: Declare) -> None:
    declare()
    schedules_declare()
    assert not ScheduleEntry.objects.filter(name="tests.kind").exists()


def test_declaring_again_changes_nothing(declare: Declare) -> None:
    _declared(declare, every="1h")
    before = _rows()
    with clock.shift(timedelta(minutes=10)):
        schedules_declare()
    assert _rows() == before


def test_a_change_in_the_code_is_followed(declare: Declare) -> None:
    first = _declared(declare, every="1h")
    entry = _declared(declare, every="2m")
    assert (entry.pk, entry.every_s) == (first.pk, 120)
    assert entry.schedule.next_run - clock.now() <= timedelta(minutes=2)
    entry = _declared(declare, cron="5 0 * * *")
    assert (entry.every_s, entry.cron) == (None, "5 0 * * *")


def test_what_a_person_changed_stays(declare: Declare) -> None:
    schedule_edit(
        _declared(declare, every="1h"), every_s=None, cron="0 3 * * *", timezone="Asia/Tokyo"
    )
    before = _rows()
    entry = _declared(declare, every="2m")
    assert _rows() == before
    assert (entry.is_edited, entry.every_s, entry.cron, entry.timezone) == (
        True, None, "0 3 * * *", "Asia/Tokyo",
    )  # fmt: skip
    assert entry.schedule.next_run.hour == 18  # UTC


def test_a_pause_stays(declare: Declare) -> None:
    entry = _declared(declare, every="1h")
    ScheduleEntry.objects.filter(pk=entry.pk).update(paused_at=clock.now())
    assert _declared(declare, every="2m").paused_at is not None


def test_a_kind_that_is_gone_takes_its_row_with_it(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    _declared(declare, every="1h")
    third = Schedule.objects.create(name="theirs", func="math.sqrt")
    monkeypatch.delitem(registry._kinds, "tests.kind")
    schedules_declare()
    assert not Schedule.objects.filter(name="tests.kind").exists()
    assert Schedule.objects.filter(pk=third.pk).exists()


def test_a_bad_cron_in_the_code_stops_the_deploy(declare: Declare) -> None:
    declare(cron="60 * * * *")
    with pytest.raises(CronInvalid):
        schedules_declare()


@pytest.mark.parametrize(
    ("every_s", "cron", "timezone", "says"),
    [
        (None, "", "UTC", "give an interval or a cron expression"),
        (60, "5 0 * * *", "UTC", "give an interval or a cron expression"),
        (0.5, "", "UTC", "at least one second"),
        (0, "", "UTC", "give an interval or a cron expression"),
        (None, "5 0 * *", "UTC", "4 fields"),
        (None, "5 0 * * *", "Mars/Olympus", "is no time zone"),
    ],
)
def test_a_bad_edit_is_refused_and_changes_nothing(
    declare: Declare, every_s: float | None, cron: str, timezone: str, says: str
) -> None:
    entry = _declared(declare, every="1h")
    before = _rows()
    with pytest.raises(CronInvalid, match=says):
        schedule_edit(entry, every_s=every_s, cron=cron, timezone=timezone)
    assert _rows() == before


def test_the_platforms_own_schedules_are_declared() -> None:
    names = set(ScheduleEntry.objects.values_list("name", flat=True))
    assert {"jobs.keep_history", "jobs.fold_stats", "jobs.forget_requests"} <= names
