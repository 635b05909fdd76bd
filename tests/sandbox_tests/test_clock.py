"""The clock that all services share."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.clock import SandboxClock
from tests.sandbox.fixture import Sandbox, SandboxFailed

MONTH_S = 30 * 86_400.0


@pytest.mark.unit
def test_a_sleeper_wakes_when_the_clock_is_moved_over_its_time() -> None:
    async def sleep_a_month() -> float:
        clock = SandboxClock()
        start = clock.timestamp()
        sleeper = asyncio.create_task(clock.sleep(MONTH_S))
        await asyncio.sleep(0)
        clock.shift(MONTH_S / 2)
        await asyncio.sleep(0)
        assert not sleeper.done()
        clock.shift(MONTH_S / 2 + 1)
        await sleeper
        return clock.timestamp() - start

    assert asyncio.run(asyncio.wait_for(sleep_a_month(), 10)) > MONTH_S


@pytest.mark.unit
def test_listeners_see_the_new_time() -> None:
    clock = SandboxClock()
    seen: list[datetime] = []
    clock.on_move(lambda: seen.append(clock.now()))
    clock.shift(MONTH_S)
    assert seen[0] > datetime.now(UTC) + timedelta(days=29)
    clock.reset()
    assert len(seen) == 2
    assert clock.offset_s == 0


def test_the_clock_is_moved_set_and_put_back_by_a_reset(sandbox: Sandbox) -> None:
    assert sandbox.clock_advance(3600)["offset_s"] == 3600
    moved = sandbox.clock_advance(1800)
    assert moved["offset_s"] == 5400
    ahead = datetime.fromisoformat(moved["now"]) - datetime.now(UTC)
    assert timedelta(minutes=80) < ahead < timedelta(minutes=91)
    assert sandbox.clock_set(-60)["offset_s"] == -60
    sandbox.reset("telegram")
    assert sandbox.clock()["offset_s"] == -60
    sandbox.reset()
    assert sandbox.clock()["offset_s"] == 0


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({}, "either offset_s or advance_s"),
        ({"offset_s": 1, "advance_s": 1}, "either offset_s or advance_s"),
        ({"offset_s": "1"}, "offset_s must be a number of seconds"),
        ({"advance_s": True}, "advance_s must be a number of seconds"),
        ({"advance_s": 1e12}, "more than a hundred years"),
        ({"hours": 1}, "hours is unknown"),
    ],
)
def test_a_clock_order_that_makes_no_sense_is_refused(
    sandbox: Sandbox, order: dict[str, object], words: str
) -> None:
    with pytest.raises(SandboxFailed, match=words):
        sandbox._call("PUT", "clock", order)
