"""When a run has to wait for a person."""

from decimal import Decimal

import pytest

from subscriptions.lifecycle.brake import Size, held_reason, is_counting_needed, usual_of
from subscriptions.models import SweepSettings

pytestmark = pytest.mark.unit

LIMITS = SweepSettings(
    name="x", most=500, least=20, share=Decimal("5.00"), times_usual=Decimal("3.00")
)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (Size(500, None, None), ""),
        (Size(501, None, None), "501 people are more than the limit of 500."),
        (Size(100, None, 2000), ""),
        (
            Size(101, None, 2000),
            "101 people are 5.05 % of all 2000 who are served; the limit is 5 %.",
        ),
        (Size(60, 20, None), ""),
        (Size(61, 20, None), "61 people are more than 3 times the usual 20."),
        (Size(19, 1, 19), ""),  # few people are nothing unusual
        (Size(20, 1, 20), "20 people are 100.00 % of all 20 who are served; the limit is 5 %."),
    ],
)
def test_each_limit_holds_what_is_beyond_it(size: Size, words: str) -> None:
    assert held_reason(size, LIMITS) == words


def test_what_is_usual_is_the_median_once_there_were_some_runs() -> None:
    assert usual_of([4, 900]) is None
    assert usual_of([4, 900, 6]) == 6


def test_the_served_are_counted_only_where_it_decides() -> None:
    assert [is_counting_needed(found, LIMITS) for found in (19, 20, 500, 501)] == [
        False, True, True, False,
    ]  # fmt: skip
