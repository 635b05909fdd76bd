"""Which rows one call takes, and what is known of them before anything is done."""

import pytest

from jobs.chosen import REASONS, SAMPLE, BulkResult, action_check, rows_choose
from lib.errors import InputInvalid

ROWS = [(number, "odd" if number % 2 else "even") for number in range(30)]


def choose(limit: int = 100, most: int = 100) -> tuple[list[tuple[int, str]], BulkResult[int]]:
    return rows_choose(
        ROWS, action="end", limit=limit, most=most, dry_run=True,
        key=lambda row: row[0], state=lambda row: row[1],
    )  # fmt: skip


def test_all_that_match_are_counted_by_their_states() -> None:
    chosen, result = choose()
    assert chosen == ROWS
    assert (result.matched, result.done, result.more) == (30, 0, False)
    assert result.states == {"even": 15, "odd": 15}
    assert result.sample == list(range(SAMPLE))


@pytest.mark.parametrize(
    ("limit", "most", "taken"),
    [(7, 100, 7), (100, 7, 7), (0, 100, 1), (-3, 100, 1), (30, 30, 30)],
)
def test_one_call_takes_so_many_and_says_whether_there_are_more(
    limit: int, most: int, taken: int
) -> None:
    chosen, result = choose(limit, most)
    assert chosen == ROWS[:taken]
    assert (result.matched, result.more) == (taken, taken < len(ROWS))


def test_reasons_are_kept_as_far_as_there_is_room() -> None:
    _, result = choose()
    result.refuse({-1: "first"})
    result.refuse(dict.fromkeys(range(REASONS * 2), "it is even"))
    result.refuse({-2: "too late"})
    assert len(result.refused) == REASONS
    assert result.refused[-1] == "first"
    assert -2 not in result.refused


def test_an_action_that_there_is_not_is_refused() -> None:
    action_check("end", ("end",))
    with pytest.raises(InputInvalid, match="one of end, begin"):
        action_check("fly", ("end", "begin"))
