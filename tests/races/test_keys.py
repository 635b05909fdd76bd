"""Calls that meet on a unique or a debounce key."""

from typing import Any
from uuid import UUID

import pytest

from jobs import enqueue
from jobs.registry import Debounce, JobKind
from tests.jobs import play
from tests.races.parties import parties
from tests.races.together import in_thread, run_together


def test_of_many_calls_at_once_one_makes_the_row(kind: JobKind[Any]) -> None:
    made = run_together([lambda: kind.enqueue(unique="once") for _ in range(8)])
    assert len({one.id for one in made}) == 1
    assert [one.deduplicated for one in made].count(False) == 1
    assert len(play.lease()) == 1


def test_a_call_waits_for_the_end_of_one_that_may_be_rolled_back(kind: JobKind[Any]) -> None:
    def undone() -> UUID:
        kind.enqueue(unique="once")
        raise LookupError("rolled back")

    with parties() as begin:
        committed = begin(lambda: kind.enqueue(unique="twice")).wait()
        waiting = begin(lambda: kind.enqueue(unique="twice")).wait_blocked()
        first = committed.commit().id
        assert waiting.commit().id == first
        failed = begin(undone).wait()
        with pytest.raises(LookupError):
            failed.commit()
        assert not begin(lambda: kind.enqueue(unique="once")).wait().commit().deduplicated


def test_a_key_whose_holder_ends_between_two_looks_is_taken(
    kind: JobKind[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kind.enqueue(unique="once").id
    held = play.lease_one()
    look = enqueue._keys_held
    looks = []

    def look_after_its_end(specs: Any) -> dict[str, UUID]:
        in_thread(lambda: play.finish(held))
        looks.append(look(specs))
        return looks[-1]

    monkeypatch.setattr(enqueue, "_keys_held", look_after_its_end)
    second = kind.enqueue(unique="once")
    assert looks == [{}]
    assert not second.deduplicated
    assert {play.state(first), play.state(second.id)} == {"completed", "available"}


def test_a_job_ends_while_a_call_that_found_it_is_still_in_its_transaction(
    kind: JobKind[Any],
) -> None:
    kind.enqueue(unique="once")
    held = play.lease_one()
    with parties() as begin:
        calling = begin(lambda: kind.enqueue(unique="once")).wait()
        assert play.finish(held) == {held.id}  # or a worker would wait for a stranger's request
        assert calling.commit().id == held.id


def test_a_debounced_call_that_meets_a_lease_makes_a_row_of_its_own(kind: JobKind[Any]) -> None:
    debounce = ("key", Debounce("0s"))
    first = kind.enqueue(n=1, debounce=debounce).id
    with parties() as begin:
        leasing = begin(play.lease).wait()
        calling = begin(lambda: kind.enqueue(n=2, debounce=debounce)).wait_blocked()
        assert [lease.id for lease in leasing.commit()] == [first]
        second = calling.commit().id
    assert second != first
    assert (play.job(first).args, play.job(second).args) == ({"n": 1}, {"n": 2})
