"""Schedules: when in plain words, how the last time went, run now, pause, another time."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_q.models import Schedule
from django_q.tasks import schedule as django_q_schedule

from jobs.models import AuditEntry, Job, ScheduleEntry
from jobs.registry import JobKind
from jobs.schedules import schedules_declare, schedules_fire
from jobs.selectors.schedules import schedule_fires, schedules_list
from jobs.testing import drain
from lib import clock
from tests.jobs.admin.ways import acts, is_redirect, said, text, to
from tests.jobs.conftest import Declare

pytestmark = pytest.mark.django_db

HOME, ONE = "scheduleentry_changelist", "scheduleentry_change"


@pytest.fixture
def entry(declare: Declare) -> ScheduleEntry:
    """A schedule of every ten minutes."""
    declare(name="tests.tick", every="10m")
    schedules_declare()
    Schedule.objects.exclude(name="tests.tick").delete()
    return ScheduleEntry.objects.get(name="tests.tick")


def entry_again(entry: ScheduleEntry) -> ScheduleEntry:
    return ScheduleEntry.objects.select_related("schedule").get(pk=entry.pk)


def fire(entry: ScheduleEntry) -> None:
    Schedule.objects.filter(pk=entry.schedule_id).update(next_run=clock.now())
    assert schedules_fire() == 1


def test_the_list_says_when_in_plain_words(alice: Client, entry: ScheduleEntry) -> None:
    shown = text(alice.get(to(HOME)))
    assert "tests.tick Do nothing. every 10 minutes in " in shown
    assert "has not run yet" in shown


def test_the_last_time_is_told_with_its_outcome(
    alice: Client, entry: ScheduleEntry, failing: JobKind[Any]
) -> None:
    ScheduleEntry.objects.filter(pk=entry.pk).update(
        kind=failing.name, args={"payment_id": 1, "currency": "XYZ"}
    )
    fire(entry)
    drain()
    last = schedules_list()[0].last_job
    assert last is not None
    assert last.state == "dead"
    assert "currency XYZ is not known" in text(alice.get(to(HOME)))


def test_one_schedule_shows_its_latest_slots(alice: Client, entry: ScheduleEntry) -> None:
    for _ in range(2):
        fire(entry)
        drain()
    fires = schedule_fires(entry)
    assert len(fires) == 2
    assert fires[0].slot_at > fires[1].slot_at
    assert all(found.job is not None and found.job.state == "completed" for found in fires)
    assert text(alice.get(to(ONE, entry.pk))).count("completed") >= 2


def test_run_now(alice: Client, entry: ScheduleEntry) -> None:
    answer = alice.post(to("scheduleentry_run", entry.pk), follow=True)
    made = Job.objects.get(kind="tests.tick")
    assert "tests.tick was told to run" in said(answer)[0]
    assert f"/jobrecord/{made.pk}/" in said(answer)[0]
    assert acts() == [("alice", "schedules.run", "tests.tick")]


def test_a_refused_run_leaves_no_job_and_no_entry(
    alice: Client, entry: ScheduleEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    ScheduleEntry.objects.filter(pk=entry.pk).update(kind="tests.vanished")
    answer = alice.post(to("scheduleentry_run", entry.pk), follow=True)
    assert said(answer) == ["Refused: no job is declared as 'tests.vanished'."]
    assert acts() == []


def test_pause_and_resume(alice: Client, entry: ScheduleEntry) -> None:
    alice.post(to("scheduleentry_pause", entry.pk))
    assert entry_again(entry).paused_at is not None
    assert "paused" in text(alice.get(to(HOME)))
    with clock.shift(timedelta(hours=1)):
        assert schedules_fire() == 0
    alice.post(to("scheduleentry_resume", entry.pk))
    assert entry_again(entry).paused_at is None
    assert [act[1] for act in acts()] == ["schedules.pause", "schedules.resume"]


@pytest.mark.parametrize(
    ("form", "every_s", "cron", "words"),
    [
        ({"every": "30s"}, 30.0, "", "every 30 seconds"),
        ({"every": "2h"}, 7200.0, "", "every 2 hours"),
        ({"cron": "5 0 * * *"}, None, "5 0 * * *", "every day at 00:05 UTC"),
        ({"cron": " 0  5 0 * * * "}, None, "0 5 0 * * *", "every day at 00:05 UTC"),
    ],
)
def test_another_time(
    alice: Client, entry: ScheduleEntry, form: dict[str, str], every_s: Any, cron: str, words: str
) -> None:
    answer = alice.post(to(ONE, entry.pk), {"timezone": "UTC", **form})
    assert is_redirect(answer, to(ONE, entry.pk))
    changed = entry_again(entry)
    assert (changed.every_s, changed.cron, changed.is_edited) == (every_s, cron, True)
    assert changed.schedule.next_run > clock.now()
    assert words in text(alice.get(to(HOME)))
    assert acts() == [("alice", "schedules.retime", "tests.tick")]
    assert AuditEntry.objects.get().changes["was"] == 600.0


@pytest.mark.parametrize(("every", "shown"), [("90s", "90s"), ("5m", "5m"), ("36h", "36h")])
def test_the_form_shows_the_time_as_people_write_it(
    alice: Client, entry: ScheduleEntry, every: str, shown: str
) -> None:
    alice.post(to(ONE, entry.pk), {"every": every, "timezone": "UTC"})
    assert alice.get(to(ONE, entry.pk)).context["form"]["every"].value() == shown


def test_a_deploy_leaves_an_edited_time_alone(alice: Client, entry: ScheduleEntry) -> None:
    alice.post(to(ONE, entry.pk), {"every": "30s", "timezone": "UTC"})
    schedules_declare()
    assert entry_again(entry).every_s == 30.0


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"every": "soon"}, "every", "is not a span of time"),
        ({"every": "0s"}, "every", "one second at least"),
        ({"every": "9999w"}, "every", "a year at most"),
        ({"cron": "5 25 * * *"}, "cron", "5 25 * * *"),
        ({"cron": "5 0 * *"}, "cron", "has 4 fields"),
        ({"cron": "5 0 * * *", "timezone": "Mars/Base"}, "timezone", "is no time zone"),
        ({}, "cron", "one of the two"),
        ({"every": "5m", "cron": "5 0 * * *"}, "cron", "one of the two"),
    ],
)
def test_a_time_that_cannot_be_is_refused_beside_its_field(
    alice: Client, entry: ScheduleEntry, form: dict[str, str], field: str, words: str
) -> None:
    answer = alice.post(to(ONE, entry.pk), {"timezone": "UTC", **form})
    assert answer.status_code == 422
    assert words in answer.context["form"].errors[field][0]
    assert words in text(answer)
    assert entry_again(entry).every_s == 600.0
    assert acts() == []


def test_a_quarantined_schedule_says_why_and_another_time_takes_it_back(
    alice: Client, entry: ScheduleEntry
) -> None:
    ScheduleEntry.objects.filter(pk=entry.pk).update(
        quarantined_at=clock.now(), quarantine_reason="CronInvalid: hour 25"
    )
    assert schedules_list()[0].condition == "quarantined"
    assert "CronInvalid: hour 25" in text(alice.get(to(HOME)))
    alice.post(to(ONE, entry.pk), {"every": "5m", "timezone": "UTC"})
    assert schedules_list()[0].condition == "active"


def test_schedules_of_libraries_are_shown_before_and_after_their_first_time(
    alice: Client, entry: ScheduleEntry
) -> None:
    django_q_schedule("math.copysign", 2, -2, name="theirs", schedule_type=Schedule.HOURLY)
    shown = text(alice.get(to(HOME)))
    assert "Made by libraries, not fired yet" in shown
    assert "math.copysign" in shown
    Schedule.objects.filter(name="theirs").update(next_run=clock.now())
    schedules_fire()
    shown = text(alice.get(to(HOME)))
    assert "not fired yet" not in shown
    assert "math.copysign" in shown


def test_the_list_costs_the_same_with_more_schedules(
    alice: Client, entry: ScheduleEntry, declare: Declare, queries: Any
) -> None:
    fire(entry)
    few = queries(alice, to(HOME))
    for number in range(8):
        declare(name=f"tests.tick{number}", every="1h", immediate=True)
    schedules_declare()
    assert schedules_fire() >= 8
    drain()
    assert queries(alice, to(HOME)) == few
