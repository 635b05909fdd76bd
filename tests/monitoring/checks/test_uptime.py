"""Uptime out of spans."""

from datetime import timedelta

import pytest

from monitoring.checks.selectors.uptime import Span, Uptime, Window, uptime_of
from tests.monitoring.checks.conftest import AT

pytestmark = pytest.mark.unit

HOUR = timedelta(hours=1)
TEN = Window("10h", "10 hours", 10 * HOUR, 10)


def cut(*spans: Span, since: timedelta = 20 * HOUR, until: timedelta = timedelta(0)) -> Uptime:
    return uptime_of(TEN, spans, now=AT, watched_since=AT - since, watched_until=AT - until)


def ago(begin: float, end: float, *, is_blind: bool = False) -> Span:
    return Span(AT - begin * HOUR, AT - end * HOUR, is_blind)


def test_a_service_that_never_failed_was_up_all_the_time() -> None:
    uptime = cut()
    assert uptime.share == 100
    assert {piece.tone for piece in uptime.pieces} == {"ok"}
    assert (uptime.pieces[0].begins_at, uptime.pieces[-1].ends_at) == (AT - 10 * HOUR, AT)


def test_an_outage_counts_in_each_piece_that_it_touches() -> None:
    uptime = cut(ago(3.25, 1.5))
    assert [piece.tone for piece in uptime.pieces[-4:]] == ["some", "down", "down", "ok"]
    assert [piece.share for piece in uptime.pieces[-4:]] == [75, 0, 50, 100]
    assert uptime.share == pytest.approx(82.5)


def test_an_outage_that_began_before_the_window_counts_from_its_beginning_on() -> None:
    assert cut(ago(30, 9)).share == pytest.approx(90)


def test_what_nobody_looked_at_counts_neither_way() -> None:
    uptime = cut(ago(6, 1, is_blind=True), ago(1, 0.5))
    assert [piece.tone for piece in uptime.pieces[4:9]] == ["none"] * 5
    assert uptime.share == pytest.approx(90)  # half an hour of the five that were seen


def test_before_the_first_look_and_after_the_last_nobody_looked() -> None:
    uptime = cut(since=4 * HOUR, until=2 * HOUR)
    assert [piece.tone for piece in uptime.pieces] == ["none"] * 6 + ["ok"] * 2 + ["none"] * 2
    assert uptime.share == 100


def test_an_outage_of_before_a_service_was_configured_anew_does_not_count() -> None:
    assert cut(ago(8, 3), since=2 * HOUR).share == 100


def test_without_any_look_there_is_no_uptime() -> None:
    uptime = uptime_of(TEN, [ago(5, 1)], now=AT, watched_since=None, watched_until=AT)
    assert uptime.share is None


def test_many_spans_cost_no_more_than_the_pieces_that_they_touch() -> None:
    spans = [ago(10 - number / 100, 10 - number / 100 - 0.005) for number in range(1000)]
    assert cut(*spans).share == pytest.approx(50, abs=0.2)
