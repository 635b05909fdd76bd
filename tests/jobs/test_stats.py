"""Counting: each outcome once, in the transaction that writes it."""

import bisect
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from jobs import stats
from jobs.ending import outcomes_write
from jobs.engine.ends import ends_write
from jobs.lease import leases_reap
from jobs.models import JobStat
from jobs.registry import JobKind
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def counts() -> dict[tuple[str, str], int]:
    """What was counted: {(kind, event): count}."""
    found = JobStat.objects.values_list("kind", "event").annotate(n=Sum("count"))
    return {(name, event): n for name, event, n in found}


def test_each_outcome_is_counted_by_kind_and_queue(kind: JobKind[Any], declare: Declare) -> None:
    other = declare(name="tests.other", queue="maintenance")
    for n in range(5):
        kind.enqueue(n=n)
        other.enqueue(n=n)
    ends = [play.ended(held) for held in play.lease("default", "maintenance", limit=7)]
    names = ["completed", "completed", "retried", "dead", "snoozed", "cancelled", "released"]
    for end, name in zip(ends, names, strict=True):
        end.name, end.run_at = name, clock.now().timestamp()
    outcomes_write(ends)
    expected: dict[tuple[str, str], int] = {}
    for end in ends:
        key = (end.lease.kind, end.name)
        expected[key] = expected.get(key, 0) + 1
    assert counts() == expected
    assert {stat.queue for stat in JobStat.objects.filter(kind="tests.other")} == {"maintenance"}


@pytest.mark.parametrize("name", ["completed", "retried", "dead"])
def test_a_batch_that_was_fenced_in_part_counts_the_rest(kind: JobKind[Any], name: str) -> None:
    for n in range(5):
        kind.enqueue(n=n)
    held = play.lease()
    held[1].fence -= 1
    held[3].fence -= 1
    assert len(play.finish(*held, name=name)) == 3
    assert counts() == {("tests.kind", name): 3}
    stat = JobStat.objects.get()
    assert stat.run_hist is not None
    assert sum(stat.run_hist) == 3


def test_a_batch_that_was_fenced_as_a_whole_counts_nothing(kind: JobKind[Any]) -> None:
    kind.enqueue()
    held = play.lease_one()
    held.fence -= 1
    play.finish(held)
    assert counts() == {}


def test_what_is_rolled_back_is_not_counted(kind: JobKind[Any]) -> None:
    kind.enqueue()
    with transaction.atomic():
        play.finish(play.lease_one())
        transaction.set_rollback(True)
    assert counts() == {}


def test_both_clocks_are_added_up(kind: JobKind[Any]) -> None:
    kind.enqueue()
    kind.enqueue()
    ends = [play.ended(held) for held in play.lease()]
    for end in ends:
        end.started = end.lease.due + 0.040
        end.finished = end.started + 2.0
    outcomes_write(ends)
    stat = JobStat.objects.get()
    assert (stat.count, stat.wait_ms, stat.run_ms) == pytest.approx((2, 80, 4000), abs=0.1)
    bounds = stats.BOUNDS_MS
    wait, run = stat.wait_hist, stat.run_hist
    assert wait is not None
    assert run is not None
    assert (wait[bounds.index(50)], sum(wait)) == (2, 2)
    assert (run[bounds.index(2500)], sum(run)) == (2, 2)


@given(st.floats(0, 10**6), st.floats(0, 10**6))
def test_a_histogram_has_a_place_for_every_time(wait_ms: float, run_ms: float) -> None:
    tally = stats.Tally()
    tally.add(wait_ms, run_ms)
    place = tally.wait_hist.index(1)
    assert place == bisect.bisect_left(stats.BOUNDS_MS, wait_ms)
    assert place == len(stats.BOUNDS_MS) or wait_ms <= stats.BOUNDS_MS[place]
    assert sum(tally.run_hist) == 1


def test_calls_are_written_when_asked_and_once(committed: None, kind: JobKind[Any]) -> None:
    for n in range(3):
        kind.enqueue(n=n, unique=n // 2)
    stats.flush()
    stats.flush()
    assert counts() == {("tests.kind", "enqueued"): 2, ("tests.kind", "deduplicated"): 1}


def test_calls_are_written_by_themselves(
    committed: None, kind: JobKind[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "_flusher", None)
    monkeypatch.setattr(stats, "FLUSH_EVERY_S", 0.4)
    kind.enqueue()
    first = flusher()
    kind.enqueue()
    assert flusher() is first
    first.join(10)  # it ends where nothing is counted any more, and with it its connection
    assert counts() == {("tests.kind", "enqueued"): 2}
    kind.enqueue()
    flusher().join(10)
    assert counts() == {("tests.kind", "enqueued"): 3}


def flusher() -> threading.Thread:
    assert stats._flusher is not None
    return stats._flusher


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_calls_are_kept_while_the_database_refuses(
    committed: None, kind: JobKind[Any], error: type[Exception]
) -> None:
    def refuse(*call: Any) -> None:
        raise error("away")

    kind.enqueue()
    with connection.execute_wrapper(refuse), pytest.raises(error):
        stats.flush()
    kind.enqueue()
    stats.flush()
    assert counts() == {("tests.kind", "enqueued"): 2}


def test_a_child_process_starts_at_zero(committed: None, kind: JobKind[Any]) -> None:
    kind.enqueue()
    stats.forget_after_fork()
    stats.flush()
    assert counts() == {}


def test_time_that_runs_backwards_does_not_count_below_zero(kind: JobKind[Any]) -> None:
    kind.enqueue()
    held = play.lease_one()
    with clock.shift(timedelta(hours=-1)):
        play.finish(held)
    assert JobStat.objects.get().wait_ms == 0


def test_what_comes_too_late_is_counted_as_fenced(committed: None, declare: Declare) -> None:
    """Also where the rest of the batch was written, and whatever becomes of the caller's transaction."""
    kind, other = declare(), declare(name="tests.other", queue="maintenance")
    kind.enqueue()
    lost = play.lease_one()
    play.lapse(lost)
    leases_reap()
    other.enqueue()
    held = play.lease_one("maintenance")
    with transaction.atomic():
        ends_write([play.ended(lost), play.ended(held)])
        transaction.set_rollback(True)
    ends_write([play.ended(lost), play.ended(held)])
    stats.flush()
    found = counts()
    assert found["tests.kind", "fenced"] == 2
    assert ("tests.other", "fenced") not in found
    assert found["tests.other", "completed"] == 1
