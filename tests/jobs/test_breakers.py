"""Breakers: open after failures in a row, probe after a pause, close on the first answer."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from jobs import breakers
from jobs.breakers import (
    LONGEST_PAUSE,
    PAUSE,
    PROBE,
    THRESHOLD,
    BreakerOpen,
    breaker_changed,
    guard,
)
from jobs.models import Breaker, BreakerEvent
from jobs.outcomes import Outcome
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare, Work

NAME = "panel"


def _fail(times: int = THRESHOLD, error: str = "503") -> None:
    for _ in range(times):
        breakers.record_failure(NAME, error)


def _row() -> Breaker:
    return Breaker.objects.get(pk=NAME)


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str]]]:
    """What breaker_changed told: (name, state)."""
    told: list[tuple[str, str]] = []

    def hear(sender: Any, name: str, state: str, reason: str, **more: Any) -> None:
        told.append((name, state))

    breaker_changed.connect(hear)
    yield told
    breaker_changed.disconnect(hear)


def test_a_service_that_nobody_knows_is_asked() -> None:
    assert breakers.wait_for(NAME) is None


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    _fail(THRESHOLD - 1)
    assert (_row().state, breakers.wait_for(NAME)) == ("closed", None)
    _fail(1)
    wait = breakers.wait_for(NAME)
    assert wait is not None
    assert timedelta(0) < wait <= PAUSE
    assert (_row().state, _row().last_error) == ("open", "503")
    assert _row().opened_at is not None


def test_a_success_in_between_starts_the_count_again() -> None:
    for _ in range(3):
        _fail(THRESHOLD - 1)
        breakers.record_success(NAME)
    assert (_row().state, _row().failures) == ("closed", 0)


def _as_another_worker() -> None:
    breakers._local = threading.local()


def test_after_the_pause_one_caller_probes_and_the_others_wait() -> None:
    _fail()
    with clock.shift(PAUSE):
        assert breakers.wait_for(NAME) is None
        _as_another_worker()
        wait = breakers.wait_for(NAME)
        assert wait is not None
        assert wait > timedelta(seconds=30)
        assert _row().state == "half_open"


def test_a_good_probe_closes_it() -> None:
    _fail()
    with clock.shift(PAUSE):
        breakers.wait_for(NAME)
        breakers.record_success(NAME)
        assert (_row().state, _row().failures, _row().openings, _row().retry_at) == (
            "closed",
            0,
            0,
            None,
        )
        assert breakers.wait_for(NAME) is None


def test_each_bad_probe_makes_the_pause_longer_up_to_a_limit() -> None:
    _fail()
    pauses = []
    ahead = timedelta(0)
    for _ in range(8):
        row = _row()
        assert row.retry_at is not None
        assert row.changed_at is not None
        pauses.append(row.retry_at - row.changed_at)
        ahead += pauses[-1] + timedelta(milliseconds=1)
        with clock.shift(ahead):
            assert breakers.wait_for(NAME) is None
            _fail(1)
    assert pauses == [min(PAUSE * 2**n, LONGEST_PAUSE) for n in range(8)]


def test_the_time_since_when_it_is_open_stays_through_bad_probes() -> None:
    _fail()
    first = _row().opened_at
    with clock.shift(PAUSE):
        breakers.wait_for(NAME)
        _fail(1)
    assert _row().opened_at == first


def test_a_probe_that_never_reports_gives_way_to_another() -> None:
    _fail()
    with clock.shift(PAUSE):
        assert breakers.wait_for(NAME) is None
    _as_another_worker()
    with clock.shift(PAUSE + PROBE):
        assert breakers.wait_for(NAME) is None


def test_late_failures_do_not_make_the_pause_longer() -> None:
    _fail()
    before = _row().retry_at
    _fail(5)
    assert (_row().retry_at, _row().openings) == (before, 1)


def test_each_change_is_an_event_and_is_told(heard: list[tuple[str, str]]) -> None:
    _fail()
    with clock.shift(PAUSE):
        breakers.wait_for(NAME)
        breakers.record_success(NAME)
    states = ["open", "half_open", "closed"]
    assert heard == [(NAME, state) for state in states]
    events = BreakerEvent.objects.order_by("id")
    assert [event.state for event in events] == states
    assert events[0].reason == "503"


def test_an_opening_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jobs.breakers"):
        _fail()
        breakers.force(NAME, is_open=False, reason="by hand")
    assert [(line.levelname, line.getMessage()) for line in caplog.records] == [
        ("WARNING", "breaker panel is open"), ("INFO", "breaker panel is closed"),
    ]  # fmt: skip


def test_a_person_may_open_it_for_an_hour_and_close_it() -> None:
    breakers.force(NAME, is_open=True, reason="maintenance")
    wait = breakers.wait_for(NAME)
    assert wait is not None
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    breakers.force(NAME, is_open=False, reason="done")
    assert breakers.wait_for(NAME) is None
    assert [event.reason for event in BreakerEvent.objects.order_by("id")] == [
        "maintenance",
        "done",
    ]


def test_while_all_is_well_a_call_costs_no_query(django_assert_num_queries: Any) -> None:
    breakers.wait_for(NAME)
    with django_assert_num_queries(0):
        assert breakers.wait_for(NAME) is None
        breakers.record_success(NAME)


def test_breakers_do_not_know_each_other() -> None:
    _fail()
    assert breakers.wait_for("another") is None


def test_a_guard_counts_failures_of_the_service_only() -> None:
    for _ in range(THRESHOLD):
        with pytest.raises(LookupError), guard(NAME, failures=(ConnectionError,)):
            raise LookupError("an answer, if a bad one")
    for _ in range(THRESHOLD):
        with pytest.raises(ConnectionError), guard(NAME, failures=(ConnectionError,)):
            raise ConnectionError("no answer")
    asked = guard(NAME, failures=(ConnectionError,))
    with pytest.raises(BreakerOpen, match="breaker panel is open") as refused:
        asked.__enter__()
    assert timedelta(0) < refused.value.retry_after <= PAUSE


def test_a_job_that_probes_may_ask_through_a_guard_of_the_same_breaker(
    declare: Declare, work: Work
) -> None:
    """The gate of its kind made it the probe; the client that it uses must not hold it up."""

    def act() -> Outcome | None:
        with guard(NAME, failures=(ConnectionError,)):
            return None

    _fail()
    made = declare(act, breaker=NAME).enqueue().id
    with clock.shift(PAUSE):
        work()
    assert (play.state(made), _row().state) == ("completed", "closed")
