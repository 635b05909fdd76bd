"""Notifications that are accepted for one person at the same moment."""

from contextlib import nullcontext
from itertools import pairwise

import pytest

from jobs import sql
from notifications.inbox import accept as accept_module
from notifications.inbox.accept import accept
from notifications.inbox.models import Notification, Outbox, Recipient
from notifications.inbox.recipients import recipients_find
from tests.notifications.inbox.conftest import own_threads
from tests.notifications.inbox.core.play import ALICE, BOB, draft, give, inbox, person, read
from tests.races.parties import parties, without
from tests.races.together import run_together

__all__ = ["own_threads"]

BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])
LOCK = "FOR NO KEY UPDATE OF r"


@BOTH
def test_each_of_two_at_once_knows_what_it_follows(is_locked: bool) -> None:
    person()
    with nullcontext() if is_locked else without("inbox_accept", LOCK), parties() as begin:
        first = begin(_accept_one).wait()
        second = begin(_accept_one).wait_blocked()
        chain = [*first.commit(), *second.commit()]
    (begun, after), (_, prev) = chain
    assert after == 0
    assert (
        prev == begun
    ) is is_locked  # a screen that knows the first one would take a hole for none
    assert person().unread == 2


def _accept_one() -> list[tuple[int, int]]:
    """(position, the one before it) as Postgres gives them."""
    found = sql.row(accept_module._ACCEPT, accept_module._params([draft()]))
    assert found is not None
    written = accept_module.Written(*found)
    return list(zip(written.positions, written.prevs, strict=True))  # type: ignore[arg-type]


def test_many_at_once_make_a_chain_without_holes() -> None:
    crowd = [(n, "crowd") for n in range(5)]
    run_together([lambda: accept([draft(*crowd)]) and None for _ in range(12)])
    for target in crowd:
        rows = inbox(target)
        positions = sorted(row.position or 0 for row in rows)
        assert len(set(positions)) == 12
        assert person(target).last_position == positions[-1]
        assert person(target).unread == 12


def test_two_crowds_that_overlap_never_wait_in_a_ring() -> None:
    there, back = [(n, "crowd") for n in range(60)], [(n, "crowd") for n in reversed(range(60))]
    calls = [lambda: accept([draft(*there)]) and None, lambda: accept([draft(*back)]) and None]
    run_together(calls * 4)
    assert Notification.objects.count() == 8 * 60
    assert Recipient.objects.filter(unread=8).count() == 60


def test_drafts_of_several_calls_never_wait_in_a_ring() -> None:
    """Each writes two crowds in one transaction, in turns."""
    low, high = [(n, "low") for n in range(30)], [(n, "high") for n in range(30)]
    calls = [
        lambda: accept([draft(*low), draft(*high)]) and None,
        lambda: accept([draft(*high), draft(*low)]) and None,
    ]
    run_together(calls * 4)
    assert Recipient.objects.filter(unread=8).count() == 60


def test_a_person_is_made_once_by_many_at_once() -> None:
    found = run_together([lambda: recipients_find([BOB, ALICE])[ALICE] for _ in range(8)])
    assert len(set(found)) == 1
    assert Recipient.objects.count() == 2


def test_who_waits_for_a_person_that_is_rolled_back_makes_them_again() -> None:
    def undone() -> None:
        accept([draft()])
        raise LookupError("rolled back")

    with parties() as begin:
        failing = begin(undone)
        failing.wait()
        waiting = begin(lambda: accept([draft(message="kept")])).wait_blocked()
        with pytest.raises(LookupError):
            failing.commit()
        waiting.commit()
    assert [row.message for row in inbox()] == ["kept"]


def test_of_two_with_one_collapse_key_one_stays_unread() -> None:
    give(collapse_key="k")
    run_together([lambda: accept([draft(collapse_key="k")]) and None for _ in range(6)])
    states = [row.state for row in inbox()]
    assert (states.count("unread"), states.count("replaced")) == (1, 6)
    assert person().unread == 1


def test_a_read_that_meets_its_replacement_is_one_or_the_other() -> None:
    (old,) = give(collapse_key="k")
    with parties() as begin:
        reading = begin(lambda: read(old)).wait()
        replacing = begin(lambda: accept([draft(collapse_key="k")])).wait_blocked()
        assert reading.commit()[0].result == "read"
        replacing.commit()
    old.refresh_from_db()
    assert old.state == "read"
    assert person().unread == 1


def test_changes_of_a_person_are_chained_whoever_made_them() -> None:
    (row,) = give()
    run_together(
        [lambda: accept([draft()]) and None for _ in range(5)] + [lambda: read(row) and None]
    )
    noted = sorted(p for note in Outbox.objects.all() for p in note.positions)
    assert len(set(noted)) == 7
    assert all(earlier < later for earlier, later in pairwise(noted))
    assert person().last_position == noted[-1]
    assert person().unread == 5
