"""The days of the history: made ahead, dropped when they are old."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder

from jobs import sql
from jobs.history import AHEAD, TABLES, days_drop, days_kept, days_prepare
from jobs.models import JobAttempt, JobHistory
from jobs.registry import JobKind
from lib import clock, partitions
from lib.patience import TableBusy
from tests.jobs import play
from tests.jobs.conftest import Declare

KEEP = settings.JOBS["history_days"]


@pytest.fixture(autouse=True)
def noon(db: None) -> Iterator[None]:
    """It is noon of the day on which the test database was migrated, also when that was yesterday."""
    migrated_at = MigrationRecorder.Migration.objects.latest("applied").applied
    with clock.shift(migrated_at.replace(hour=12) - clock.now()):
        yield


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def _finish_one(kind: JobKind[Any]) -> None:
    kind.enqueue()
    play.finish(play.lease_one(), name="retried")
    play.finish(play.lease_one())


def _rest() -> list[int]:
    found = [sql.row(f"SELECT count(*) FROM {table}_other") for table in TABLES]
    return [row[0] for row in found if row]


def test_today_and_the_next_days_are_there_after_migrate() -> None:
    today = clock.now().date()
    for days in days_kept().values():
        assert {today + timedelta(days=ahead) for ahead in range(AHEAD + 1)} <= set(days)


def test_preparing_again_changes_nothing() -> None:
    before = days_kept()
    days_prepare()
    days_prepare()
    assert days_kept() == before


def test_each_row_stands_in_its_day(kind: JobKind[Any]) -> None:
    with clock.shift(timedelta(days=2)):
        _finish_one(kind)
        day = clock.now().date()
    for table in TABLES:
        assert sql.row(f"SELECT count(*) FROM {table}_{day:%Y%m%d}") == (1,)
    assert _rest() == [0, 0]


def test_nothing_is_lost_when_nobody_made_the_day_in_time(kind: JobKind[Any]) -> None:
    with clock.shift(timedelta(days=40)):
        _finish_one(kind)
        assert _rest() == [1, 1]
        days_prepare()
        assert _rest() == [0, 0]
        day = clock.now().date()
        assert sql.row(f"SELECT count(*) FROM jobs_jobhistory_{day:%Y%m%d}") == (1,)
        assert (JobHistory.objects.count(), JobAttempt.objects.count()) == (1, 1)
        _finish_one(kind)
        assert _rest() == [0, 0]


def test_a_day_that_was_made_late_has_the_indexes_of_the_others(kind: JobKind[Any]) -> None:
    def indexes(day: date) -> list[Any]:
        return sql.rows(
            """SELECT count(*) FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid
            WHERE i.indrelid = %s::regclass""",
            [f"jobs_jobhistory_{day:%Y%m%d}"],
        )

    today = clock.now().date()
    with clock.shift(timedelta(days=40)):
        _finish_one(kind)
        days_prepare()
        assert indexes(clock.now().date()) == indexes(today)
        assert indexes(today) > [(3,)]


def test_old_days_are_dropped_and_young_ones_stay() -> None:
    today = clock.now().date()
    with clock.shift(timedelta(days=KEEP)):
        assert days_drop() == []
    with clock.shift(timedelta(days=KEEP + 1)):
        gone = [f"{table}_{today:%Y%m%d}" for table in TABLES]
        assert set(gone) <= set(days_drop())
        assert all(min(days) > today for days in days_kept().values())


def test_a_dry_run_names_what_would_go() -> None:
    before = days_kept()
    with clock.shift(timedelta(days=100)):
        names = days_drop(dry_run=True)
    assert len(names) == sum(map(len, before.values()))
    assert days_kept() == before


def test_the_retention_may_be_said() -> None:
    with clock.shift(timedelta(days=AHEAD + 2)):
        assert len(days_drop(keep_days=1, dry_run=True)) == 2 * (AHEAD + 1)


def test_a_table_that_is_read_for_long_is_left_to_the_next_hour(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(table: str, _: object) -> None:
        raise TableBusy(f"{table} is held")

    before = days_kept()
    monkeypatch.setattr(partitions, "patiently", busy)
    with clock.shift(timedelta(days=100)):
        days_prepare()
        assert days_drop() == []
    assert days_kept() == before
    assert "jobs_jobattempt is held" in caplog.text


def test_dropping_again_finds_nothing() -> None:
    with clock.shift(timedelta(days=100)):
        assert days_drop() != []
        assert days_drop() == []


def test_old_rows_outside_of_all_days_go_too(kind: JobKind[Any]) -> None:
    with clock.shift(timedelta(days=40)):
        _finish_one(kind)
    with clock.shift(timedelta(days=40 + KEEP)):
        days_drop()
        assert _rest() == [1, 1]
    with clock.shift(timedelta(days=42 + KEEP)):
        days_drop()
        assert _rest() == [0, 0]
