"""What a job returns or raises, and what becomes of it."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.context import current_job
from jobs.errors import JobCancelled, JobTimeout
from jobs.ladders import Delays
from jobs.outcomes import Cancel, Dead, Done, Retry, Snooze
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare, Work


@pytest.mark.parametrize(
    ("returned", "result"),
    [
        (None, None), (Done(), None), (7, 7), (Done({"sum": 3}), {"sum": 3}), ("", ""), ([], []),
        (False, False),
        ({1: "int keys are texts in JSON"}, {"1": "int keys are texts in JSON"}),
        ("\x00", ""), ("a\\\x00\x00b", "a\\b"), ("\\u0000", "\\u0000"), (float("nan"), None),
    ],
)  # fmt: skip
def test_what_a_job_returns_is_its_result(
    declare: Declare, work: Work, returned: Any, result: Any
) -> None:
    made = declare(lambda: returned).enqueue().id
    work()
    assert (play.state(made), play.past(made).result) == ("completed", result)


def test_a_result_that_is_not_json_needs_a_person(declare: Declare, work: Work) -> None:
    made = declare(object).enqueue().id
    work()
    row = play.job(made)
    assert row.state == "dead"
    assert row.last_error == "its result is not JSON: Type is not JSON serializable: object"


def test_a_snooze_comes_back_without_spending_an_attempt(declare: Declare, work: Work) -> None:
    made = declare(lambda: Snooze(timedelta(minutes=5), "not yet")).enqueue().id
    work()
    row = play.job(made)
    assert (row.state, row.attempt, row.last_error) == ("scheduled", 0, "not yet")
    ahead = row.run_at - clock.now()
    assert timedelta(minutes=4, seconds=50) < ahead <= timedelta(minutes=5)


def test_a_snooze_for_no_time_is_tried_at_once(declare: Declare, work: Work) -> None:
    seen: list[int] = []

    def act() -> Any:
        seen.append(1)
        return Snooze(timedelta(0)) if len(seen) < 3 else None

    made = declare(act).enqueue().id
    work()
    assert (len(seen), play.past(made).attempt, play.past(made).fence) == (3, 1, 3)


def test_a_cancel_ends_it_and_nobody_has_to_look(declare: Declare, work: Work) -> None:
    made = declare(lambda: Cancel("already paid"), retry=Delays("1s")).enqueue().id
    work()
    assert (play.state(made), play.past(made).last_error) == ("cancelled", "already paid")


def test_dead_ends_it_and_somebody_has_to_look(declare: Declare, work: Work) -> None:
    made = declare(lambda: Dead("no such chat"), retry=Delays("1s")).enqueue().id
    work()
    assert (play.state(made), play.job(made).last_error) == ("dead", "no such chat")


def test_a_returned_retry_spends_an_attempt(declare: Declare, work: Work) -> None:
    made = declare(lambda: Retry("busy"), retry=Delays("1m")).enqueue().id
    work()
    assert (play.state(made), play.job(made).last_error, play.job(made).attempt) == (
        "scheduled", "busy", 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError("seven"), "ValueError: seven"),
        (SystemExit(3), "the job called exit(3)"),
        (JobTimeout(), "timed out after 60 s"),
        (ValueError("a\x00b"), "ValueError: ab"),
        (ValueError("\udcff"), "ValueError: ?"),
        (ExceptionGroup("two", [ValueError("x")]), "ExceptionGroup: two (1 sub-exception)"),
        (RecursionError(), "RecursionError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_raised_is_a_failed_attempt_with_its_text(
    declare: Declare, work: Work, raised: BaseException, said: str
) -> None:
    def act() -> None:
        raise raised

    made = declare(act, retry=Delays("1m")).enqueue().id
    other = declare(name="tests.other").enqueue().id
    work()
    row = play.job(made)
    assert (row.state, row.attempt) == ("scheduled", 1)
    assert row.last_error is not None
    assert said in row.last_error
    assert play.state(other) == "completed"


def test_the_place_of_an_error_is_told(declare: Declare, work: Work) -> None:
    def act() -> None:
        raise LookupError("not here")

    made = declare(act).enqueue().id
    work()
    error = play.job(made).last_error or ""
    assert error.startswith("Traceback (most recent call last)")
    assert 'raise LookupError("not here")' in error


def test_a_very_long_error_is_cut(declare: Declare, work: Work) -> None:
    made = declare(lambda: Dead("x" * 100_000)).enqueue().id
    work()
    assert len(play.job(made).last_error or "") == 8000


def test_a_job_that_ends_as_cancelled_is_cancelled(declare: Declare, work: Work) -> None:
    def act() -> None:
        raise JobCancelled

    made = declare(act, retry=Delays("1m")).enqueue().id
    work()
    assert (play.state(made), play.past(made).last_error) == ("cancelled", "cancelled while it ran")


def test_a_job_knows_itself_while_it_runs(declare: Declare, work: Work) -> None:
    seen: list[Any] = []

    def act(n: int) -> None:
        context = current_job()
        assert context is not None
        seen.append(
            (context.id, context.kind, context.attempt, context.max_attempts, context.fence)
        )

    made = declare(act, retry=Delays("1s")).enqueue(n=1).id
    work()
    assert seen == [(made, "tests.kind", 1, 2, 1)]
    assert current_job() is None


def test_a_job_gets_its_args_as_json_gave_them_back(declare: Declare, work: Work) -> None:
    seen: list[Any] = []

    def act(n: int, items: list[Any], text: str = "default") -> None:
        seen.append((n, items, text))

    declare(act).enqueue(n=1, items=[1, "ж", None])
    work()
    assert seen == [(1, [1, "ж", None], "default")]


def test_what_a_job_enqueues_knows_its_parent_and_its_cause(declare: Declare, work: Work) -> None:
    child = declare(name="tests.child", queue="external")
    seen: list[Any] = []
    parent = declare(lambda: seen.append(child.enqueue().id)).enqueue(correlation_id="c-1").id
    alone = declare(lambda: seen.append(child.enqueue().id), name="tests.alone").enqueue().id
    work()
    rows = [play.job(made) for made in seen]
    assert [(row.parent_id, row.correlation_id) for row in rows] == [
        (parent, "c-1"),
        (alone, alone.hex),
    ]
