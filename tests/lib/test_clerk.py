"""One thread that does what others hand over: together, all of it, and again after its end."""

import threading
from collections.abc import Iterator

import pytest

from lib.clerk import Clerk

LONG_S = 20


class Copyist(Clerk[int]):
    """Drafts what it gets, and copies the draft when nothing more comes; if it may."""

    name = "copyist"

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[list[int]] = []
        self.draft: list[int] = []
        self.copied: list[int] = []
        self.began, self.may_go_on = threading.Event(), threading.Event()
        self.ending, self.may_end = threading.Event(), threading.Event()
        self.may_go_on.set()
        self.may_end.set()

    def _turn(self) -> bool:
        pieces = self._take(0 if self.draft else None)
        self.began.set()
        assert self.may_go_on.wait(LONG_S)
        if pieces:
            self.taken.append(pieces)
            self.draft += [12 // piece for piece in pieces]
        else:
            self.copied += self.draft
            self.draft = []
        return not self.draft

    def _close(self) -> None:
        self.ending.set()
        assert self.may_end.wait(LONG_S)


@pytest.fixture
def copyist() -> Iterator[Copyist]:
    made = Copyist()
    yield made
    made.may_go_on.set()
    made.may_end.set()
    made.stop(LONG_S)
    assert threads() == []


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == Copyist.name]


def test_a_thread_does_it_and_begins_with_the_first_piece(copyist: Copyist) -> None:
    assert threads() == []
    copyist.add(1)
    assert copyist.flush(LONG_S)
    assert copyist.copied == [12]
    assert len(threads()) == 1


def test_what_comes_meanwhile_is_done_together(copyist: Copyist) -> None:
    copyist.may_go_on.clear()
    copyist.add(1)
    assert copyist.began.wait(LONG_S)
    for piece in (2, 3, 4):
        copyist.add(piece)
    copyist.may_go_on.set()
    assert copyist.flush(LONG_S)
    assert copyist.taken == [[1], [2, 3, 4]]
    assert copyist.copied == [12, 6, 4, 3]


def test_a_flush_says_that_it_takes_longer(copyist: Copyist) -> None:
    copyist.may_go_on.clear()
    copyist.add(1)
    assert copyist.began.wait(LONG_S)
    assert not copyist.flush(0)


def test_a_stop_waits_for_what_is_half_done(copyist: Copyist) -> None:
    copyist.may_go_on.clear()
    copyist.add(1)
    assert copyist.began.wait(LONG_S)
    copyist.add(2)
    copyist.stop(0)  # it is told, and not waited for
    copyist.may_go_on.set()
    copyist.stop(LONG_S)
    assert copyist.copied == [12, 6]
    assert threads() == []


def test_after_a_stop_another_thread_does_it_and_stays(copyist: Copyist) -> None:
    copyist.add(1)
    assert copyist.flush(LONG_S)
    copyist.stop(LONG_S)
    assert threads() == []
    copyist.add(2)
    assert copyist.flush(LONG_S)
    (second,) = threads()
    copyist.add(3)
    assert copyist.flush(LONG_S)
    assert threads() == [second]
    assert copyist.copied == [12, 6, 4]


def test_what_is_added_while_the_thread_ends_is_done(copyist: Copyist) -> None:
    copyist.add(1)
    assert copyist.flush(LONG_S)
    copyist.may_end.clear()
    copyist.stop(0)
    assert copyist.ending.wait(LONG_S)
    copyist.add(2)
    copyist.may_end.set()
    assert copyist.flush(LONG_S)
    assert copyist.copied == [12, 6]


def test_a_piece_that_fails_takes_no_later_one_with_it(
    copyist: Copyist, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: failed.append(args.exc_type))
    copyist.may_go_on.clear()
    copyist.add(0)
    assert copyist.began.wait(LONG_S)
    copyist.add(1)
    (first,) = threads()
    copyist.may_go_on.set()
    first.join(LONG_S)
    assert copyist.flush(LONG_S)
    assert copyist.copied == [12]
    assert failed == [ZeroDivisionError]
