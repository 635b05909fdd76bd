"""A person's changes reach every screen in order and once, however they come."""

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.inbox.hub.hub import Hub
from notifications.inbox.hub.person import Person
from notifications.inbox.hub.screen import Screen
from notifications.inbox.hub.wire import Wire, encode
from notifications.inbox.shapes import Changes, Missed

pytestmark = pytest.mark.unit

NID = "01968c3e-0000-7000-8000-000000000000"


class Ear:
    """Stands for a socket: the lowest door. What it is told, in order."""

    is_open = True

    def __init__(self) -> None:
        self.told: list[bytes] = []

    def write(self, frame: bytes) -> None:
        self.told.append(frame)


class Holes:
    """Stands for the hub: whom it was told to have a hole."""

    def __init__(self) -> None:
        self.people: set[Person] = set()

    def has_hole(self, person: Person) -> None:
        self.people.add(person)

    def delivered(self, notification_id: str, position: int, screens: list[Screen]) -> None:
        assert screens


def _person(last: int | None = 0) -> tuple[Person, Ear, Holes]:
    holes = Holes()
    person = Person(cast(Hub, holes), 1, 1, "alice", b"inbox:1")
    person.last = last
    ear = Ear()
    screen = Screen(UUID(NID), cast(Wire, ear), person)
    screen.early = None
    person.screens.append(screen)
    person.live.append(screen)
    return person, ear, holes


def _frame(position: int) -> bytes:
    return b"frame %d" % position


def _take(person: Person, position: int, prev: int, kind: str = "n") -> None:
    person.take(position, prev, kind, NID, _frame(position))


def _told(ear: Ear) -> list[int]:
    return [int(frame.rsplit(b" ", 1)[1]) for frame in ear.told]


def _since(last: int, top: int) -> Changes:
    missed = [Missed(n, n - 1, _frame(n).decode(), "n", NID) for n in range(last + 1, top + 1)]
    return Changes(top, 0, "e", True, missed)


@given(st.data())
def test_changes_come_in_order_and_once_whatever_redis_does(data: st.DataObject) -> None:
    """Some are lost, some come twice, some late; holes are filled at some time from what is committed."""
    top = data.draw(st.integers(1, 12))
    kept = data.draw(st.lists(st.integers(1, top), max_size=20))  # any order, doubled or missing
    person, ear, holes = _person()
    for position in kept:
        _take(person, position, position - 1)
        is_filled = data.draw(st.booleans())
        if holes.people and is_filled:
            holes.people.clear()
            if not person.is_asking and person.last is not None:
                person.is_asking = True
                asked = person.last
                for late in data.draw(st.lists(st.integers(1, top), max_size=3)):
                    _take(person, late, late - 1)
                committed = max([*kept, asked])
                person.catch_up(_since(asked, committed))
    assert person.last is not None
    person.is_asking = True
    person.catch_up(_since(person.last, top))
    assert _told(ear) == list(range(1, top + 1))
    assert person.last == top
    assert not person.is_waiting


def test_a_change_that_overtook_another_waits_for_it() -> None:
    person, ear, holes = _person()
    _take(person, 2, 1)
    assert _told(ear) == []
    assert holes.people == {person}
    _take(person, 1, 0)
    assert _told(ear) == [1, 2]


def test_what_comes_while_postgres_is_asked_waits_for_the_answer() -> None:
    person, ear, _ = _person()
    person.is_asking = True
    _take(person, 1, 0)
    _take(person, 2, 1)
    assert _told(ear) == []
    person.catch_up(_since(0, 1))
    assert _told(ear) == [1, 2]


def test_before_the_first_picture_changes_are_held_and_continue_from_it() -> None:
    person, ear, holes = _person(last=None)
    for position in (5, 6, 7):
        _take(person, position, position - 1)
    person.begin(6)
    assert _told(ear) == [7]
    assert not holes.people


def test_a_screen_that_joins_gets_what_its_picture_does_not_hold() -> None:
    person, _, _ = _person()
    ear = Ear()
    late = Screen(UUID(NID), cast(Wire, ear), person)
    person.screens.append(late)
    for position in (1, 2, 3):
        _take(person, position, position - 1)
    assert late.replay(2) == 3
    assert _told(ear) == [3]


def test_a_folded_answer_makes_a_joining_screen_ask_for_itself() -> None:
    person, _, _ = _person()
    late = Screen(UUID(NID), cast(Wire, Ear()), person)
    person.screens.append(late)
    _take(person, 1, 0)
    person.is_asking = True
    person.catch_up(_since(1, 4))
    assert late.replay(0) == 0, "what it had is not enough to go on from"
    assert person.last == 4


def test_a_read_is_told_to_the_others_once_and_answered_once() -> None:
    for change_first in (True, False):
        person, mine, _ = _person()
        theirs = Ear()
        other = Screen(UUID(NID), cast(Wire, theirs), person)
        other.early = None
        person.screens.append(other)
        person.live.append(other)
        reader = person.live[0]
        reader.ask_read(NID)
        steps: list[Any] = [
            lambda p=person: _take(p, 1, 0, "r"),
            lambda r=reader: r.answer_read(NID, 1, "frame 1"),
        ]
        for step in steps if change_first else reversed(steps):
            step()
        assert mine.told == theirs.told == [encode(b"frame 1")]


def test_a_movement_of_the_chain_can_be_awaited() -> None:
    async def scenario() -> tuple[bool, bool]:
        person, _, _ = _person()
        joining = Screen(UUID(NID), cast(Wire, Ear()), person)
        person.screens.append(joining)
        waiting = asyncio.ensure_future(person.movement(60))
        await asyncio.sleep(0)
        _take(person, 1, 0)
        return await waiting, await person.movement(0)

    assert asyncio.run(scenario()) == (True, False)
