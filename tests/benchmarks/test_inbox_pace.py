"""What the feeders of the inbox bench send, and when."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.inbox.board import RECEIVED, SENT, STOP, board_made
from benchmarks.inbox.pace import Pace, sent_to


@pytest.fixture
def board(tmp_path: Path) -> "memoryview[int]":
    return board_made(tmp_path / "board")


@pytest.mark.unit
def test_no_more_than_the_window_is_under_way(board: "memoryview[int]") -> None:
    pace = Pace(board, people=10, fan=2, window=20)

    while pace.due():
        pass
    assert board[SENT] == 10

    board[RECEIVED] = 20
    assert pace.due()


@pytest.mark.unit
def test_the_count_alone_says_what_each_person_got(board: "memoryview[int]") -> None:
    pace = Pace(board, people=7, fan=1, window=10_000, batch=5)
    got: Counter[int] = Counter()
    for _ in range(9):
        for person, number in pace.due():
            assert number == got[person]
            got[person] += 1

    sent = board[SENT]
    assert [got[person] for person in range(7)] == [
        sent_to(person, sent=sent, people=7) for person in range(7)
    ]


@pytest.mark.unit
def test_nobody_is_named_twice_in_a_batch(board: "memoryview[int]") -> None:
    pace = Pace(board, people=3, fan=1, window=10_000)

    people = [person for person, _ in pace.due()]

    assert sorted(people) == [0, 1, 2]


@pytest.mark.unit
def test_it_begins_and_ends_where_it_is_told(board: "memoryview[int]") -> None:
    pace = Pace(board, people=10, fan=1, rate=1e9, begin=4, most=9)
    sent = []
    while not pace.over():
        sent += pace.due()

    assert sent == [(person, 0) for person in range(4, 9)]
    assert board[SENT] == 9


@pytest.mark.unit
def test_the_harness_can_stop_it(board: "memoryview[int]") -> None:
    pace = Pace(board, people=1, fan=1, window=1)
    assert not pace.over()

    board[STOP] = 1

    assert pace.over()
