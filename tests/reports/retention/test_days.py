"""The days of all tables that apps have entered: made each hour, told when something is wrong."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from jobs import sql
from jobs.testing import job_perform
from lib import clock, partitions
from lib.now import Attention, Source
from lib.partition_names import day_name
from lib.partitions import DayTable, partitioned_table
from lib.patience import TableBusy
from monitoring.alerts.services import alerts_open
from reports.retention.attention import failed_runs, unprepared_days
from reports.retention.days import days_now
from reports.retention.metrics import collect
from reports.retention.models import RetentionRun, RunState
from tests.reports.retention.rows import run_of
from tests.reports.retention.test_partitions import TABLE, count, day, put, table

__all__ = ["table"]


def cards(source: Source) -> list[Attention]:
    found = source()
    assert not isinstance(found, Attention)
    return list(found or ())


KIND = "reports.prepare_partitions"


@pytest.fixture(autouse=True)
def entered(noon: None, table: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only our table is entered, and kept for 5 days."""
    monkeypatch.setattr(partitions, "_entered", dict[str, DayTable]())
    partitioned_table(TABLE, "at", keep=lambda: timedelta(days=5))


def test_the_hourly_job_makes_days_and_is_quiet_when_all_is_well() -> None:
    job_perform(KIND)
    assert partitions.days_missing(TABLE) == []
    assert not alerts_open("partitions").exists()
    assert cards(unprepared_days) == []


def test_a_look_costs_two_queries_however_many_tables_there_are(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for name in ("jobs_jobhistory", "jobs_jobattempt", "webhook_attempt"):
        partitioned_table(name, "at")
    with django_assert_num_queries(2):
        assert len(days_now()) == 4


def test_rows_outside_of_all_days_are_told_until_they_are_gone() -> None:
    put(9)
    job_perform(KIND)
    (alert,) = alerts_open("partitions")
    assert (alert.key, alert.title) == (TABLE, "day_sample: 1 row outside of all days")
    (card,) = cards(unprepared_days)
    assert card.hint.startswith("day_sample: 1 row outside of all days.")
    sql.run("DELETE FROM day_sample")
    job_perform(KIND)
    assert not alerts_open("partitions").exists()


def test_a_table_whose_migration_is_still_to_come_is_told_and_left(clean_redis: None) -> None:
    partitioned_table("no_table_yet", "at", keep=timedelta(days=1))
    job_perform(KIND)
    (alert,) = alerts_open("partitions")
    assert alert.title == "no_table_yet: not in days yet: run migrate"
    job_perform("reports.clean_caches")
    assert run_of("reports.clean_caches").state == RunState.DONE


def test_days_that_cannot_be_made_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise TableBusy

    monkeypatch.setattr(partitions, "patiently", busy)
    job_perform(KIND)
    (alert,) = alerts_open("partitions")
    assert alert.title == "day_sample: 4 of today and the next days are not made"


def test_old_days_are_dropped_with_the_caches_and_counted(clean_redis: None) -> None:
    for offset in (-8, -5, -4):
        with clock.shift(timedelta(days=offset)):
            partitions.days_prepare(TABLE, "at", ahead=0)
            put(0)
    put(-9)
    job_perform("reports.clean_caches", dry_run=True)
    assert count() == 4
    counted = run_of("reports.clean_caches")
    assert counted.partitions == 1
    job_perform("reports.clean_caches")
    run = run_of("reports.clean_caches")
    assert run.tables[TABLE]["partitions"] == [day_name(TABLE, day(-8))]
    assert (run.partitions, run.state, count()) == (1, RunState.DONE, 2)
    assert run.bytes > 0


def test_a_busy_table_fails_the_run_and_is_left(
    monkeypatch: pytest.MonkeyPatch, clean_redis: None
) -> None:
    with clock.shift(timedelta(days=-8)):
        partitions.days_prepare(TABLE, "at", ahead=0)

    def busy(name: str, _: object) -> None:
        raise TableBusy(f"{name} is held by somebody for long; try again later")

    monkeypatch.setattr(partitions, "patiently", busy)
    with pytest.raises(TableBusy):
        job_perform("reports.clean_caches")
    assert run_of("reports.clean_caches").error.startswith("day_sample is held by somebody")
    (card,) = cards(failed_runs)
    assert "reports.clean_caches" in card.hint


def test_metrics_tell_of_runs_and_days() -> None:
    RetentionRun.objects.create(
        kind="reports.clean_audit", state=RunState.DONE, is_dry=False, rows=5,
        finished_at=clock.now(),
    )  # fmt: skip
    put(9)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in collect()
        for sample in metric.samples
    }
    assert found["retention_last_run_rows", "reports.clean_audit"] == 5
    assert found["partition_days_missing", TABLE] == 4
    assert found["partition_rest_rows", TABLE] == 1
