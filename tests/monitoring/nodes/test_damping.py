"""When another state counts: rules without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.nodes.damping import Limits, Standing, Verdict, first, judge
from monitoring.nodes.models import Health

pytestmark = pytest.mark.unit

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UP, DOWN, TRY, OFF = Health.ONLINE, Health.OFFLINE, Health.WARNING, Health.MAINTENANCE
LIMITS = Limits(
    down_hold=timedelta(0),
    up_hold=timedelta(seconds=20),
    connecting_hold=timedelta(minutes=1),
    flap_losses=3,
    flap_span=timedelta(minutes=15),
    flap_calm=timedelta(minutes=5),
)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def told(*seen: tuple[float, Health], start: Health = UP) -> list[Verdict]:
    """What each of the answers makes of a server that began as `start`: (second, state)."""
    standing, verdicts = first(start, T0), []
    for second, health in seen:
        verdict = judge(standing, health, at(second), LIMITS)
        standing = verdict.standing
        verdicts.append(verdict)
    return verdicts


def healths(*seen: tuple[float, Health], start: Health = UP) -> list[Health]:
    return [verdict.standing.health for verdict in told(*seen, start=start)]


def test_a_loss_counts_at_once() -> None:
    assert healths((120, DOWN)) == [DOWN]


def test_a_recovery_counts_once_it_has_held() -> None:
    found = told((120, DOWN), (240, UP), (250, UP), (261, UP))
    assert [each.standing.health for each in found] == [DOWN, DOWN, DOWN, UP]
    assert found[1].look_in == timedelta(seconds=20)
    assert found[2].look_in == timedelta(seconds=10)
    assert found[3].standing.since == at(240)  # from when it was seen, not from when it counted


def test_what_held_before_we_looked_counts_at_once() -> None:
    """The panel says since when it is so."""
    before = told((120, DOWN))[0].standing
    found = judge(before, UP, at(240), LIMITS, changed_at=at(200))
    assert (found.standing.health, found.standing.since) == (UP, at(200))


@pytest.mark.parametrize("moment", [60, 300])
def test_a_moment_that_cannot_be_is_not_believed(moment: float) -> None:
    """From before what was seen last, or from the future: the clock of the panel is another."""
    before = told((120, DOWN))[0].standing
    assert judge(before, UP, at(240), LIMITS, changed_at=at(moment)).standing.seen_since == at(240)


def test_connecting_counts_only_if_it_stays_so() -> None:
    assert healths((10, TRY), (40, UP), (60, TRY), (121, TRY)) == [UP, UP, UP, TRY]


def test_what_is_down_and_tries_to_connect_is_still_down() -> None:
    assert healths((10, DOWN), (20, TRY), (300, TRY), (320, UP), (345, UP)) == [
        DOWN, DOWN, DOWN, DOWN, UP,
    ]  # fmt: skip


def test_connecting_that_gives_up_is_down_at_once() -> None:
    assert healths((10, TRY), (80, TRY), (90, DOWN)) == [UP, TRY, DOWN]


def test_what_a_person_switches_counts_at_once_and_is_no_loss() -> None:
    found = told((10, OFF), (20, UP), (30, OFF), (40, UP), (50, OFF), (60, UP))
    assert [each.standing.health for each in found] == [OFF, UP, OFF, UP, OFF, UP]
    assert found[-1].standing.losses == ()


def test_maintenance_that_ends_in_a_failure_is_told() -> None:
    assert healths((10, OFF), (20, DOWN)) == [OFF, DOWN]


FLAPPING = ((10, DOWN), (20, UP), (30, DOWN), (40, UP), (50, DOWN))


def test_losses_in_a_short_while_are_flapping_and_not_more_of_them() -> None:
    found = told(*FLAPPING, (60, UP), (70, DOWN), (80, UP), (120, UP))
    states = [each.standing.health for each in found]
    assert states == [DOWN, DOWN, DOWN, DOWN, TRY, TRY, TRY, TRY, TRY]
    assert {each.standing.flapping_since for each in found[4:]} == {at(50)}
    assert found[-1].look_in == timedelta(minutes=5) - timedelta(seconds=40)


@pytest.mark.parametrize("end", [UP, DOWN])
def test_flapping_ends_when_it_stands_still(end: Health) -> None:
    other = DOWN if end == UP else UP
    found = told(*FLAPPING, (60, other), (70, end), (369, end), (371, end))
    assert [each.standing.health for each in found[-2:]] == [TRY, end]
    assert found[-1].standing.flapping_since is None
    assert found[-1].standing.losses == ()


def test_losses_far_from_each_other_are_no_flapping() -> None:
    times = (20.0 * 60, 40.0 * 60, 60.0 * 60, 80.0 * 60)
    seen = [
        (begin + later, state)
        for begin in times
        for later, state in ((0, DOWN), (60, UP), (90, UP))
    ]
    assert healths(*seen) == [DOWN, DOWN, UP] * 4


def test_disabling_ends_flapping() -> None:
    found = told(*FLAPPING, (60, OFF))[-1].standing
    assert (found.health, found.flapping_since, found.losses) == (OFF, None, ())


def test_the_same_answer_again_changes_nothing() -> None:
    standing = Standing(UP, T0, UP, T0)
    assert judge(standing, UP, at(1000), LIMITS) == Verdict(standing)


def test_a_hold_delays_also_a_loss() -> None:
    limits = replace(LIMITS, down_hold=timedelta(seconds=30), up_hold=timedelta(0))
    seen = judge(first(UP, T0), DOWN, at(10), limits)
    assert (seen.standing.health, seen.look_in) == (UP, timedelta(seconds=30))
    assert judge(seen.standing, UP, at(20), limits).standing.health == UP
    assert judge(seen.standing, DOWN, at(40), limits).standing.health == DOWN
