"""Spans of time as people write them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import durations
from lib.durations import DurationInvalid, parse, parse_many, words


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("250ms", 0.25), ("30s", 30), ("5m", 300), ("5 m", 300), (" 1.5h ", 5400), ("2h", 7200),
        ("7d", 604_800), ("2w", 1_209_600), ("45", 45), (45, 45), (0.5, 0.5), (0, 0),
        (timedelta(minutes=1), 60),
    ],
)  # fmt: skip
def test_a_span_is_written_with_a_unit_or_in_seconds(written: Any, seconds: float) -> None:
    assert parse(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written",
    [
        "", "s", "soon", "5 y", "1h30m", "-5s", "1e5", "½h", "٥s", "9" * 400 + "s", True, False, None,
        [1], -1, -0.5, float("nan"), float("inf"), 1e300, timedelta(seconds=-1),
    ],
)  # fmt: skip
def test_what_is_no_span_is_refused(written: Any) -> None:
    with pytest.raises(DurationInvalid):
        parse(written)


def test_the_refusal_names_what_was_written() -> None:
    with pytest.raises(DurationInvalid, match="'soon' is not a span of time such as 30s, 5m or 1h"):
        parse("soon")


def test_several_spans_are_a_text_or_a_list() -> None:
    spans = (timedelta(seconds=30), timedelta(minutes=1))
    assert parse_many("30s 1m") == parse_many(["30s", 60]) == parse_many(("30s", "1m")) == spans
    assert parse_many("") == parse_many([]) == ()


@given(st.integers(0, 10**8), st.sampled_from(sorted(durations._UNITS)))
def test_a_whole_number_of_units_is_kept_exactly(count: int, unit: str) -> None:
    assert parse(f"{count}{unit}") == timedelta(seconds=count * durations._UNITS[unit])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"), (0.25, "250 ms"), (3.2, "3.2 s"), (59, "59 s"), (60, "1 min"), (65, "1 min 5 s"),
        (3900, "1 h 5 min"), (3601, "1 h 1 s"), (86_400, "1 d"), (180_061, "2 d 2 h"),
        (-65, "-1 min 5 s"),
    ],
)  # fmt: skip
def test_a_span_is_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert words(timedelta(seconds=seconds)) == said
