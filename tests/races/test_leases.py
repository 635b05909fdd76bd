"""Two that take the same row: one gets it, and nobody waits."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

import pytest

from jobs.lease import leases_extend, leases_reap
from jobs.registry import JobKind
from tests.jobs import play
from tests.races.parties import parties, without

BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])


@BOTH
def test_a_job_is_leased_once(kind: JobKind[Any], is_locked: bool) -> None:
    made = kind.enqueue().id
    bare = without("jobs_lease", "FOR UPDATE SKIP LOCKED")
    with nullcontext() if is_locked else bare, parties() as begin:
        first = begin(lambda: play.lease(worker="w1")).wait()
        second = begin(lambda: play.lease(worker="w2")).wait_blocked()
        leased = [lease.id for lease in [*first.commit(), *second.commit()]]
    assert leased == ([made] if is_locked else [made, made])  # a control of one would be blind
    assert play.job(made).fence == len(leased)


@BOTH
def test_a_lost_lease_is_taken_back_once(kind: JobKind[Any], is_locked: bool) -> None:
    made = kind.enqueue().id
    play.lapse(play.lease_one())
    bare = without("jobs_reap", "FOR UPDATE SKIP LOCKED")
    with nullcontext() if is_locked else bare, parties() as begin:
        first = begin(leases_reap).wait()
        second = begin(leases_reap).wait_blocked()
        reaped = [lost.id for lost in [*first.commit(), *second.commit()]]
    assert reaped == ([made] if is_locked else [made, made])
    assert play.job(made).crash_count == len(reaped)


def test_a_job_that_ends_while_it_is_taken_back_is_moved_once(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    held = play.lease_one()
    play.lapse(held)
    with parties() as begin:
        reaper = begin(leases_reap).wait()
        late = begin(lambda: play.finish(held)).wait_blocked()
        assert [lost.id for lost in reaper.commit()] == [made]
        assert late.commit() == set()
    assert (play.state(made), play.job(made).crash_count) == ("available", 1)


def test_the_beat_does_not_wait_for_the_end_that_its_own_lane_is_writing(
    kind: JobKind[Any],
) -> None:
    kind.enqueue()
    held = play.lease_one()
    with parties() as begin:
        writing = begin(lambda: play.finish(held)).wait()
        assert leases_extend([(held.id, held.fence)]) == {held.id: False}  # still ours
        writing.commit()
    assert leases_extend([(held.id, held.fence)]) == {}


def test_a_row_that_somebody_is_touching_is_skipped_and_not_waited_for(kind: JobKind[Any]) -> None:
    ids: list[UUID] = [kind.enqueue(n=n).id for n in range(3)]
    with parties() as begin:
        other = begin(lambda: play.lease(limit=1, worker="w1")).wait()
        assert [lease.id for lease in play.lease(worker="w2")] == ids[1:]
        assert [lease.id for lease in other.commit()] == ids[:1]
