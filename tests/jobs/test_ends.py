"""How a lease may end: each outcome on the row, on its attempts, and on its history."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.batches import batch_open
from jobs.ending import outcomes_write
from jobs.models import Job, JobAttempt, JobHistory
from jobs.registry import Debounce, JobKind
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


EVERYTHING: dict[str, Any] = {
    "n": 7, "priority": 1, "queue": "maintenance", "partition": "a", "unique": "u", "timeout": 9,
    "retry": [0, 0], "deadline": "1h", "correlation_id": "c-1",
}  # fmt: skip


@pytest.mark.parametrize("name", ["completed", "cancelled"])
def test_a_finished_job_moves_to_the_history_with_all_it_had(kind: JobKind[Any], name: str) -> None:
    made = kind.enqueue(**EVERYTHING, batch=batch_open()).id
    play.finish(play.lease_one("maintenance"), name="retried", error="once")
    held = play.lease_one("maintenance", worker="w9")
    Job.objects.filter(pk=made).update(progress={"pct": 5}, checkpoint=[1], replay_of=made)
    before = play.job(made)
    end = play.ended(held, name, logs='[{"message": "hello"}]', result='{"sum": 3}')
    assert outcomes_write([end]) == {made}
    after = play.past(made)
    same = {field.name for field in JobHistory._meta.fields} & {
        field.name for field in Job._meta.fields
    }
    for field in same - {"state", "started_at"}:
        assert getattr(after, field) == getattr(before, field), field
    assert (after.state, after.logs, after.resolution) == (name, [{"message": "hello"}], None)
    assert after.result == ({"sum": 3} if name == "completed" else None)
    assert after.started_at is not None
    assert after.started_at.timestamp() == pytest.approx(end.started, abs=1e-5)
    assert after.finished_at.timestamp() == pytest.approx(end.finished, abs=1e-5)
    assert not Job.objects.exists()


def test_a_debounced_job_keeps_its_story_in_the_history(kind: JobKind[Any]) -> None:
    made = kind.enqueue(debounce=("k", Debounce("1s"))).id
    with clock.shift(timedelta(seconds=2)):
        before = play.job(made)
        play.finish(play.lease_one())
    after = play.past(made)
    assert (after.debounce_key, after.first_enqueued_at) == (
        before.debounce_key, before.first_enqueued_at,
    )  # fmt: skip


def test_one_good_attempt_costs_no_row_of_its_own(kind: JobKind[Any]) -> None:
    kind.enqueue()
    play.finish(play.lease_one())
    assert not JobAttempt.objects.exists()


def test_a_retry_spends_an_attempt_and_keeps_its_story(kind: JobKind[Any]) -> None:
    made = kind.enqueue(retry=[60]).id
    held = play.lease_one(worker="w3")
    end = play.ended(held, "retried", run_in=timedelta(minutes=1), error="no answer", logs="[]")
    outcomes_write([end])
    row = play.job(made)
    assert (row.state, row.attempt, row.last_error, row.worker, row.lease_until) == (
        "scheduled", 1, "no answer", None, None,
    )  # fmt: skip
    assert end.run_at is not None
    assert row.run_at.timestamp() == pytest.approx(end.run_at, abs=1e-5)
    (tried,) = play.tries(made)
    assert (tried.attempt, tried.fence, tried.worker, tried.outcome, tried.error, tried.logs) == (
        1, 1, "w3", "retried", "no answer", [],
    )  # fmt: skip
    assert tried.next_run_at == row.run_at
    assert tried.started_at is not None
    assert tried.started_at.timestamp() == pytest.approx(end.started, abs=1e-5)


def test_a_retry_without_a_wait_is_available_at_once(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    play.finish(play.lease_one(), name="retried")
    assert play.state(made) == "available"
    assert play.lease_one().attempt == 2


def test_a_snooze_spends_no_attempt_but_is_told(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    play.finish(play.lease_one(), name="snoozed", run_in=timedelta(hours=1), error="rate limit")
    row = play.job(made)
    assert (row.state, row.attempt, row.fence) == ("scheduled", 0, 1)
    (tried,) = play.tries(made)
    assert (tried.attempt, tried.outcome, tried.error) == (1, "snoozed", "rate limit")


def test_a_crash_spends_no_rung_of_the_ladder_but_is_counted(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    play.finish(play.lease_one(), name="crashed", run_in=timedelta(seconds=1), error="no database")
    row = play.job(made)
    assert (row.state, row.attempt, row.crash_count) == ("scheduled", 1, 1)
    assert [(tried.attempt, tried.outcome) for tried in play.tries(made)] == [(1, "crashed")]


def test_a_release_spends_nothing_and_leaves_no_trace(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    run_at = play.job(made).run_at
    play.finish(play.lease_one(), name="released")
    row = play.job(made)
    assert (row.state, row.attempt, row.fence, row.run_at) == ("available", 0, 1, run_at)
    assert play.tries(made) == []


def test_a_dead_job_stays_and_says_who_had_it_last(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    play.finish(play.lease_one(worker="w3"), name="dead", error="never again")
    row = play.job(made)
    assert (row.state, row.worker, row.lease_until, row.last_error) == (
        "dead", "w3", None, "never again",
    )  # fmt: skip
    assert [tried.outcome for tried in play.tries(made)] == ["dead"]
    assert play.lease() == []


def test_ends_of_all_kinds_may_be_written_together(kind: JobKind[Any]) -> None:
    names = ["completed", "retried", "snoozed", "released", "dead", "cancelled"]
    made = [kind.enqueue(n=n).id for n in range(6)]
    held = play.lease()
    ends = [play.ended(one, name) for one, name in zip(held, names, strict=True)]
    assert outcomes_write(ends) == set(made)
    assert [play.state(job) for job in made] == [
        "completed", "available", "available", "available", "dead", "cancelled",
    ]  # fmt: skip


def test_ends_keep_the_story_of_each_try(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    for name in ("retried", "snoozed", "released", "retried", "dead"):
        play.finish(play.lease_one(), name=name)
    assert [(tried.attempt, tried.fence, tried.outcome) for tried in play.tries(made)] == [
        (1, 1, "retried"), (2, 2, "snoozed"), (2, 4, "retried"), (3, 5, "dead"),
    ]  # fmt: skip


def test_with_a_clock_that_is_moved_back_lines_and_keys_are_freed_too(kind: JobKind[Any]) -> None:
    with clock.shift(timedelta(days=-30)):
        kind.enqueue(n=1, partition="a", unique="u")
        kind.enqueue(n=2, partition="a")
        play.finish(play.lease_one())
        assert play.line("a") == [(2, "available", False)]
        assert not kind.enqueue(unique="u").deduplicated
