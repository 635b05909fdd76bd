"""Samples and hours of traffic: differences of counters over midnight, gaps, resets and repeats."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from jobs import sql
from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from lib.partitions import days_kept, days_prepare
from monitoring.nodes import collecting, forgetting
from monitoring.nodes.collecting import Previous, bytes_since, slot_of
from monitoring.nodes.models import NodeConfigChange, NodeHour, NodeSample, NodeState
from monitoring.nodes.rollup import hours_roll
from monitoring.nodes.selectors import bandwidth_hours, bandwidth_raw, traffic
from subscriptions.panel.errors import PanelError
from tests.monitoring.nodes.rows import (
    DAY,
    FI,
    HOUR,
    MINUTE,
    NL,
    look,
    node_make,
    perform,
    sample_make,
)
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand

SLOT = 5 * MINUTE


@pytest.fixture
def use(sandbox: Sandbox, panel: PanelHand) -> Any:
    """People use so many bytes of the first server, so long from now by everybody's clock."""
    panel.seed(1)
    look()
    began = timedelta(0)

    def spend(size: int, after: timedelta) -> Any:
        nonlocal began
        sandbox.clock_advance((after - began).total_seconds())
        began = after
        if size:
            panel.use([1], size, str(NL))
        with clock.shift(after):
            return perform("monitoring.collect_bandwidth")

    return spend


def of_slots(key: Any = NL) -> list[int | None]:
    return list(NodeSample.objects.filter(node=key).order_by("at").values_list("bytes", flat=True))


def test_what_came_between_two_samples_is_the_difference_of_the_counters(use: Any) -> None:
    use(1000, timedelta(0))
    use(500, SLOT)
    use(0, 2 * SLOT)
    use(70, 3 * SLOT)
    assert of_slots() == [None, 500, 0, 70]
    last = NodeSample.objects.filter(node=NL).order_by("at").last()
    assert last is not None
    assert last.seconds == pytest.approx(300, abs=5)
    assert last.users_online == 187


def test_every_server_that_is_listed_has_a_sample(use: Any) -> None:
    assert use(0, timedelta(0))["servers"] == 3
    assert NodeSample.objects.filter(node=FI).get().users_online == 0


def test_a_second_run_in_a_slot_changes_nothing(use: Any) -> None:
    began = slot_of(clock.now()) + SLOT - clock.now()  # the first moment of the next slot
    use(1000, began)
    use(500, began + MINUTE)
    use(200, began + SLOT)
    assert of_slots() == [None, 700]


def test_a_gap_loses_no_bytes(use: Any) -> None:
    use(1000, timedelta(0))
    use(900, 12 * SLOT)
    assert of_slots() == [None, 900]


def test_midnight_loses_no_bytes(use: Any) -> None:
    now = clock.now()
    late = datetime(now.year, now.month, now.day, 23, 56, tzinfo=UTC) - now
    late = late if late > timedelta(0) else late + DAY
    use(1000, late)
    use(300, late + 2 * MINUTE)  # the same slot: not counted yet
    use(40, late + 5 * MINUTE)  # one past midnight: the counter of the new day begins at nothing
    assert of_slots() == [None, 340]
    use(5, late + 10 * MINUTE)
    assert of_slots() == [None, 340, 5]


def test_a_counter_that_went_back_tells_nothing_of_that_time(use: Any) -> None:
    use(1000, timedelta(0))
    sql.run("UPDATE node_sample SET day_bytes = 9000 WHERE node_id = %s", [NL])  # the panel forgot
    use(10, SLOT)
    use(20, 2 * SLOT)
    assert of_slots() == [None, None, 20]


DAYS = {date(2026, 11, 21): 700, date(2026, 11, 22): 40}


@pytest.mark.parametrize(
    ("taken", "counter", "grown"),
    [
        (datetime(2026, 11, 22, 10, tzinfo=UTC), 30, 10),
        (datetime(2026, 11, 22, 10, tzinfo=UTC), 40, 0),
        (datetime(2026, 11, 22, 10, tzinfo=UTC), 41, None),
        (datetime(2026, 11, 21, 23, 55, tzinfo=UTC), 650, 90),
        (datetime(2026, 11, 21, 23, 55, tzinfo=UTC), 800, None),
        (datetime(2026, 11, 22, 2, tzinfo=timezone(timedelta(hours=5))), 700, 40),  # 21:00 UTC
    ],
)
def test_growth_is_summed_over_the_days_since(
    taken: datetime, counter: int, grown: int | None
) -> None:
    assert bytes_since(Previous(taken, counter), DAYS) == grown


def test_no_answer_takes_no_sample(use: Any, panel: PanelHand) -> None:
    use(10, timedelta(0))
    panel.fault(kind="status", status=503, method="bandwidth.nodes", times=5)
    with clock.shift(SLOT), pytest.raises(PanelError):
        job_perform("monitoring.collect_bandwidth")
    assert of_slots() == [None]


def test_the_number_of_queries_of_a_sample_is_fixed(panel: PanelHand) -> None:
    from subscriptions.panel import door

    client = door.panel_background()
    look()
    collecting.samples_collect(client)

    def queries(after: timedelta) -> int:
        with clock.shift(after), CaptureQueriesContext(connection) as found:
            collecting.samples_collect(client)
        return sum("node_sample" in each["sql"] for each in found.captured_queries)

    with clock.shift(2 * SLOT):
        days_prepare("node_sample", "at")  # or that would be counted, shortly before midnight
    few = queries(SLOT)
    panel.add_nodes(30)
    look(MINUTE)
    assert queries(2 * SLOT) == few


def hour_of(back: int) -> datetime:
    """The beginning of an hour that is over."""
    return clock.now().replace(minute=0, second=0, microsecond=0) - back * HOUR


def test_an_hour_is_made_of_its_slots() -> None:
    row, hour = node_make(), hour_of(2)
    for number in range(1, 13):
        sample_make(row.pk, hour + number * SLOT, bytes=number * 300, users_online=number)
    sample_make(row.pk, hour, bytes=9_999_999)  # of the hour before
    hours_roll()
    made = NodeHour.objects.get(hour=hour)
    assert (made.bytes_sum, made.samples) == (300 * 78, 12)
    assert (made.rate_avg, made.rate_max, made.rate_min) == (6.5, 12.0, 1.0)
    assert (made.users_avg, made.users_max) == (6.5, 12)


def test_an_hour_made_again_is_the_same_and_is_not_written() -> None:
    row, hour = node_make(), hour_of(2)
    sample_make(row.pk, hour + SLOT)
    assert hours_roll()["written"] == 1
    before = sql.rows("SELECT xmin::text, * FROM node_hour")
    assert hours_roll()["written"] == 0
    assert sql.rows("SELECT xmin::text, * FROM node_hour") == before


def test_a_late_sample_and_missed_hours_are_caught_up() -> None:
    row = node_make()
    sample_make(row.pk, hour_of(9) + SLOT, bytes=100)
    assert hours_roll()["hours"] == 1
    for back in (9, 8, 7, 2):
        sample_make(row.pk, hour_of(back) + 2 * SLOT, bytes=10)
    hours_roll()
    assert [line.bytes_sum for line in bandwidth_hours(hour_of(10), clock.now(), row.pk)] == [
        110, 10, 10, 10,
    ]  # fmt: skip


def test_an_hour_that_is_not_over_is_not_made() -> None:
    row = node_make()
    sample_make(row.pk, hour_of(0) + timedelta(seconds=1))
    hours_roll()
    assert not NodeHour.objects.exists()


def test_unknown_bytes_are_not_zero_in_the_rates() -> None:
    row, hour = node_make(), hour_of(2)
    sample_make(row.pk, hour + SLOT, bytes=None, seconds=None)
    sample_make(row.pk, hour + 2 * SLOT, bytes=600)
    hours_roll()
    made = NodeHour.objects.get()
    assert (made.bytes_sum, made.rate_avg, made.rate_min, made.samples) == (600, 2.0, 2.0, 2)


def test_hours_whose_samples_are_dropped_stay_as_they_are(settings: Settings) -> None:
    row = node_make()
    old = hour_of(24 * 4)
    NodeHour.objects.create(node=row, hour=old, bytes_sum=77, users_avg=1, users_max=1, samples=12)
    sample_make(row.pk, old + SLOT, bytes=1)  # what is left of it
    hours_roll(old - DAY)
    assert NodeHour.objects.get().bytes_sum == 77


def test_all_servers_together_are_sums() -> None:
    first, second, hour = node_make(1), node_make(2), hour_of(2)
    for row in (first, second):
        sample_make(row.pk, hour + SLOT, bytes=300, users_online=4)
    hours_roll()
    line = bandwidth_hours(hour, clock.now())[0]
    assert (line.bytes_sum, line.users_max, line.rate_max) == (600, 8, None)
    raw = bandwidth_raw(hour, clock.now())[0]
    assert (raw.bytes, raw.bytes_per_s, raw.users_online) == (600, 2.0, 8)
    assert traffic(hour, clock.now()) == {first.pk: 300, second.pk: 300}


def test_what_is_old_goes(settings: Settings) -> None:
    row = node_make()
    with clock.shift(-4 * DAY):
        days_prepare("node_sample", "at")
        sample_make(row.pk, clock.now())
    sample_make(row.pk, clock.now())
    for age in (1, 29, 31, 60):
        NodeHour.objects.create(
            node=row, hour=hour_of(24 * age), bytes_sum=1, users_avg=1, users_max=1, samples=1
        )
    old = clock.now() - 500 * DAY
    NodeState.objects.create(node=row, health="offline", began_at=old, ended_at=old + HOUR)
    NodeConfigChange.objects.create(node=row, at=old, changes=[], config_hash="")
    assert forgetting.hours_forget(dry_run=True) == 2
    assert len(forgetting.samples_forget(dry_run=True)) >= 1
    outcome = job_perform("monitoring.forget_traffic")
    assert isinstance(outcome, Done)
    assert (outcome.result["hours"], outcome.result["states"]) == (2, 2)
    assert NodeHour.objects.count() == 2
    assert NodeState.objects.count() == 1
    assert NodeSample.objects.count() == 1
    assert min(days_kept("node_sample")) >= (clock.now() - settings.NODE_SAMPLES_KEPT).date()
    assert job_perform("monitoring.forget_traffic") == Done(
        {"samples": [], "hours": 0, "states": 0}
    )


def test_hours_are_made_by_the_job() -> None:
    row = node_make()
    sample_make(row.pk, hour_of(2) + SLOT)
    assert perform("monitoring.rollup_bandwidth")["hours"] == 1
