"""Why a key waits, for people."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.enqueue import enqueue_many
from jobs.lines import lines_waiting
from jobs.registry import JobKind
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def test_a_key_with_one_due_job_does_not_wait(kind: JobKind[Any]) -> None:
    kind.enqueue(partition="a")
    kind.enqueue()
    assert lines_waiting() == []


def test_a_line_tells_who_holds_it_until_when_and_how_many_wait(kind: JobKind[Any]) -> None:
    head = kind.enqueue(n=1, partition="a").id
    for n in (2, 3):
        kind.enqueue(n=n, partition="a")
    play.finish(play.lease_one(), name="retried", run_in=timedelta(minutes=5), error="no answer")
    (line,) = lines_waiting()
    assert (line.key, line.head_id, line.head_kind, line.head_state) == (
        "a", head, "tests.kind", "scheduled",
    )  # fmt: skip
    assert (line.until, line.waiting, line.last_error) == (play.job(head).run_at, 2, "no answer")


def test_a_running_head_holds_its_line_until_its_lease_ends(kind: JobKind[Any]) -> None:
    enqueue_many([(kind, {"n": n, "partition": "a"}) for n in range(2)])
    held = play.lease_one()
    (line,) = lines_waiting()
    assert (line.head_state, line.until) == ("running", play.job(held.id).lease_until)


def test_a_lone_job_that_sleeps_is_told_too(kind: JobKind[Any]) -> None:
    kind.enqueue(partition="a", delay="1h")
    (line,) = lines_waiting()
    assert (line.head_state, line.waiting) == ("scheduled", 0)


def test_keys_come_in_pages_and_by_a_part_of_their_name(kind: JobKind[Any]) -> None:
    enqueue_many(
        [
            (kind, {"n": n, "partition": f"{word}:{n // 2}"})
            for word in ("chat", "user")
            for n in range(6)
        ]
    )
    keys = [line.key for line in lines_waiting()]
    assert keys == ["chat:0", "chat:1", "chat:2", "user:0", "user:1", "user:2"]
    assert [line.key for line in lines_waiting(limit=2)] == keys[:2]
    assert [line.key for line in lines_waiting(after="chat:1", limit=2)] == keys[2:4]
    assert [line.key for line in lines_waiting(contains="ser")] == keys[3:]


def test_a_long_line_is_counted_up_to_a_thousand(kind: JobKind[Any]) -> None:
    enqueue_many([(kind, {"n": n, "partition": "a"}) for n in range(1200)])
    assert lines_waiting()[0].waiting == 1000


def test_dead_and_finished_jobs_hold_no_line(kind: JobKind[Any]) -> None:
    for n in range(3):
        kind.enqueue(n=n, partition="a")
    play.finish(play.lease_one(), name="dead")
    play.finish(play.lease_one())
    assert lines_waiting() == []


def test_the_number_of_queries_is_one(kind: JobKind[Any], django_assert_num_queries: Any) -> None:
    enqueue_many([(kind, {"n": n, "partition": f"k{n // 2}"}) for n in range(20)])
    with django_assert_num_queries(1):
        assert len(lines_waiting()) == 10
