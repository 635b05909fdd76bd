"""Who gets a notice: each subscriber one per bracket and date, none for what was missed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from jobs.testing import assert_enqueued, jobs_of
from lib import clock
from subscriptions.lifecycle import dues
from subscriptions.models import Notice, Stage
from tests.subscriptions.lifecycle.people import subscriber_make

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def stages() -> list[tuple[str, str, str]]:
    return list(
        Notice.objects.order_by("subscriber_id", "id").values_list(
            "subscriber__username", "stage", "state"
        )
    )


@pytest.mark.django_db
def test_everybody_is_in_the_bracket_of_now_and_in_no_other() -> None:
    for number, (ends_in, _) in enumerate(cases := [
        (8 * DAY, ""), (7 * DAY - HOUR, "7d"), (3 * DAY + HOUR, "7d"), (3 * DAY - HOUR, "3d"),
        (25 * HOUR, "3d"), (23 * HOUR, "24h"), (6 * HOUR + HOUR / 2, "24h"), (5 * HOUR, "6h"),
        (HOUR / 60, "6h"), (-HOUR, ""),
    ]):  # fmt: skip
        subscriber_make(number, ends_in)
    dues.reminders_write()
    found = {name: stage for name, stage, _ in stages()}
    assert found == {f"user_{n}": stage for n, (_, stage) in enumerate(cases) if stage}


@pytest.mark.django_db
def test_a_second_run_writes_nothing() -> None:
    subscriber_make(1, 23 * HOUR)
    first, again = dues.reminders_write(), dues.reminders_write()
    assert first[Stage.HOURS_24] == dues.Written(due=1)
    assert set(again.values()) == {dues.Written()}
    assert len(stages()) == 1


@pytest.mark.django_db
def test_who_has_no_telegram_is_skipped_and_counted() -> None:
    subscriber_make(1, 23 * HOUR, telegram_id=None)
    assert dues.reminders_write()[Stage.HOURS_24] == dues.Written(skipped=1)
    notice = Notice.objects.get()
    assert (notice.state, notice.reason) == ("skipped", "no_telegram")
    assert notice.decided_at is not None


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["DISABLED", "EXPIRED"])
def test_who_is_not_served_is_not_reminded(status: str) -> None:
    subscriber_make(1, 23 * HOUR, status=status)
    subscriber_make(2, 23 * HOUR, missing_since=clock.now())
    dues.reminders_write()
    assert stages() == []


@pytest.mark.django_db
def test_a_moved_date_is_reminded_of_anew() -> None:
    row = subscriber_make(1, 23 * HOUR)
    dues.reminders_write()
    row.expire_at += HOUR / 2
    row.save()
    dues.reminders_write()
    assert [stage for _, stage, _ in stages()] == ["24h", "24h"]


@pytest.mark.django_db
def test_each_bracket_comes_once_as_time_goes_on_and_a_missed_one_is_not_made_up_for() -> None:
    subscriber_make(1, 7 * DAY - HOUR)
    dues.reminders_write()
    with clock.shift(6 * DAY):  # nothing ran for six days: 3d was missed
        dues.reminders_write()
    with clock.shift(7 * DAY - 3 * HOUR):
        dues.reminders_write()
        dues.reminders_write()
    assert [stage for _, stage, _ in stages()] == ["7d", "24h", "6h"]


@pytest.mark.django_db
def test_a_zone_moves_no_bracket(zone: str) -> None:
    """Dates are moments: where the server or the person stands changes nothing."""
    ends_at: datetime = (clock.now() + 24 * HOUR + HOUR / 60).astimezone(ZoneInfo(zone))
    row = subscriber_make(1, ends_at, time_zone=zone)
    dues.reminders_write()
    dues.reminders_write()
    assert [stage for _, stage, _ in stages()] == ["3d"]
    assert Notice.objects.get().expire_at == ends_at == row.expire_at


@pytest.mark.django_db
def test_batches_find_everybody_however_dates_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dues, "BATCH", 3)
    same = clock.now() + 23 * HOUR
    for number in range(10):
        subscriber_make(number, same if number < 7 else 22 * HOUR)
    assert dues.reminders_write()[Stage.HOURS_24].due == 10
    assert len({name for name, _, _ in stages()}) == 10


@pytest.mark.django_db
def test_an_end_is_told_of_lately_only() -> None:
    subscriber_make(1, -HOUR, status="EXPIRED")
    subscriber_make(2, -4 * DAY, status="EXPIRED")
    subscriber_make(3, -HOUR, status="EXPIRED", telegram_id=None)
    assert dues.expiries_write() == dues.Written(due=2)
    assert dues.expiries_write() == dues.Written()
    assert [(name, stage) for name, stage, _ in stages()] == [
        ("user_1", "expired"),
        ("user_3", "expired"),
    ]


@pytest.mark.django_db
def test_notices_go_to_jobs_in_packs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dues, "PACK", 4)
    for number in range(10):
        subscriber_make(number, 23 * HOUR)
    dues.reminders_write()
    assert (dues.packs_enqueue(), dues.packs_enqueue()) == (3, 0)
    given = [number for job in jobs_of(dues.SEND) for number in job.args["notice_ids"]]
    assert sorted(given) == sorted(Notice.objects.values_list("id", flat=True))


@pytest.mark.django_db
def test_notices_whose_job_has_died_get_another_one() -> None:
    subscriber_make(1, 23 * HOUR)
    dues.reminders_write()
    dues.packs_enqueue()
    Job.objects.update(state="dead")
    assert dues.packs_enqueue() == 1
    assert_enqueued(dues.SEND, notice_ids=[Notice.objects.get().pk])


@pytest.mark.django_db
def test_what_a_run_costs_does_not_grow_with_those_who_are_not_due() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            dues.reminders_write()
        return len(seen)

    subscriber_make(0, 60 * DAY)
    few = queries()
    for number in range(1, 40):
        subscriber_make(number, 60 * DAY)
    assert queries() == few == 4
