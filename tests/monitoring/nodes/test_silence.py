"""Silent failure: green, and people do not get through."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.testing import job_perform
from lib import clock
from monitoring.nodes.collecting import slot_of
from monitoring.nodes.models import Health, Node
from monitoring.nodes.silence import Recent, judge, silence_check
from monitoring.nodes.usual import usual_now
from tests.monitoring.nodes.rows import DAY, HOUR, hour_make, node_make, opened, sample_make
from tests.sandbox.remnawave.hand import PanelHand

WEEK = 7 * DAY
KBIT = 1_000_000 / 8


def weeks_make(row: Node, *, users: float = 100, rate: float = 1_000_000, weeks: int = 4) -> None:
    """The same hour of earlier weeks, and those around it."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for week in range(1, weeks + 1):
        for around in (-1, 0, 1):
            hour_make(row, hour - week * WEEK + around * HOUR, users, rate)


def samples_make(row: Node, *, users: int = 100, rate: float = 1_000_000, count: int = 3) -> None:
    """The last samples."""
    for number in range(count):
        at = slot_of(clock.now()) - number * timedelta(minutes=5)
        sample_make(row.pk, at, users_online=users, bytes=int(rate * 300))


def test_as_usual_is_no_alert() -> None:
    row = node_make()
    weeks_make(row)
    samples_make(row, users=60)
    assert silence_check()["silent"] == []


@pytest.mark.parametrize(
    ("users", "rate", "says"),
    [
        (10, 1_000_000, "far fewer people than usual"),
        (90, 100_000, "far less traffic than usual"),
        (90, 0, "moves no traffic"),
    ],
)
def test_a_green_server_that_nobody_gets_through_is_told(
    users: int, rate: float, says: str
) -> None:
    row = node_make()
    weeks_make(row)
    samples_make(row, users=users, rate=rate)
    assert silence_check()["silent"] == [row.name]
    assert opened(row.pk) == ["node_silent"]
    (sign,) = [judge(row.name, Recent((users,) * 3, (rate,) * 3), usual_now()[row.pk])]
    assert sign is not None
    assert says in sign.words().title
    silence_check()
    assert opened(row.pk) == ["node_silent"]


def test_it_resolves_when_people_are_back() -> None:
    row = node_make()
    weeks_make(row)
    samples_make(row, users=10)
    silence_check()
    with clock.shift(timedelta(minutes=20)):
        samples_make(row, users=30)  # above what opens it, and below what ends it
        assert silence_check()["resolved"] == 0
    with clock.shift(timedelta(minutes=40)):
        samples_make(row, users=80)
        assert silence_check()["resolved"] == 1
    assert opened(row.pk) == []


def test_samples_that_are_missing_do_not_say_that_it_is_well() -> None:
    row = node_make()
    weeks_make(row)
    samples_make(row, users=10)
    silence_check()
    with clock.shift(timedelta(minutes=40)):  # the panel was away, and has answered once since
        samples_make(row, users=10, count=1)
        assert silence_check()["resolved"] == 0
        Node.objects.update(checked_at=clock.now())
    assert opened(row.pk) == ["node_silent"]
    with clock.shift(timedelta(minutes=60)):  # not one sample
        assert silence_check()["resolved"] == 0
    assert opened(row.pk) == ["node_silent"]


@pytest.mark.parametrize(("users", "rate", "is_silent"), [(0, 1_000, True), (3, 40_000, False)])
def test_an_hour_of_small_numbers_ends_no_alert_by_itself(
    users: int, rate: float, is_silent: bool
) -> None:
    night = (4.0, 50_000.0)  # too little to open one
    found = Recent((users,) * 3, (rate,) * 3)
    assert judge("NL-1", found, night) is None
    assert (judge("NL-1", found, night, is_open=True) is not None) is is_silent


def test_one_low_sample_is_no_silence() -> None:
    row = node_make()
    weeks_make(row)
    samples_make(row, users=100, count=3)
    assert judge(row.name, Recent((3, 100, 100), (1e6,) * 3), usual_now()[row.pk]) is None


def test_too_little_history_says_nothing() -> None:
    row = node_make()
    weeks_make(row, weeks=1)
    samples_make(row, users=1)
    assert usual_now() == {}
    assert silence_check()["silent"] == []


def test_an_outage_in_one_week_does_not_move_what_is_usual() -> None:
    row = node_make()
    weeks_make(row, weeks=3)
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for around in (-1, 0, 1):
        hour_make(row, hour - 4 * WEEK + around * HOUR, users=0, rate=0)
    assert usual_now()[row.pk] == (100.0, 1_000_000.0)


@pytest.mark.parametrize(
    "columns",
    [
        {"health": Health.OFFLINE},
        {"health": Health.MAINTENANCE},
        {"removed_at": clock.now()},
        {"health_since": clock.now()},  # just up: people are still on their way
    ],
)
def test_only_servers_that_have_been_online_for_a_while_are_judged(
    columns: dict[str, Any],
) -> None:
    row = node_make(**columns)
    weeks_make(row)
    samples_make(row, users=0, rate=0)
    assert silence_check()["silent"] == []


def test_small_numbers_say_nothing() -> None:
    row = node_make()
    weeks_make(row, users=3, rate=1000)
    samples_make(row, users=0, rate=0)
    assert silence_check()["silent"] == []


def test_a_server_that_goes_offline_is_not_silent_any_more() -> None:
    row = node_make()
    weeks_make(row)
    samples_make(row, users=1)
    silence_check()
    Node.objects.update(health=Health.OFFLINE, seen_health=Health.OFFLINE)
    silence_check()
    assert opened(row.pk) == []


def test_each_sample_is_followed_by_a_judgement(panel: PanelHand) -> None:
    outcome = job_perform("monitoring.collect_bandwidth")
    assert outcome.result["silence"]["judged"] == 0  # type: ignore[union-attr]
