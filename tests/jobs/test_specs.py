"""The options of a job: what becomes of them, and which are refused at the door."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.errors import EnqueueInvalid
from jobs.ladders import Delays
from jobs.models import Priority
from jobs.specs import JobSpec, spec_build
from lib import clock
from lib.ids import uuid7
from tests.jobs.conftest import Declare

pytestmark = pytest.mark.unit


@pytest.fixture
def spec(declare: Declare) -> Any:
    """Build a spec of a plain kind: spec(delay="1m")."""
    kind = declare(retry=Delays("1s 2s"))

    def build(**given: Any) -> JobSpec:
        return spec_build(kind, given)

    return build


def test_without_options_a_job_is_due_now_and_as_its_kind_says(spec: Any, declare: Declare) -> None:
    before = clock.now()
    plain = spec(n=3)
    assert before <= plain.run_at == plain.created_at <= clock.now()
    assert (plain.kind, plain.queue, plain.priority, plain.state, plain.args, plain.max_attempts) == (
        "tests.kind", "default", Priority.NORMAL, "available", b'{"n":3}', 3,
    )  # fmt: skip
    urgent = declare(name="tests.other", queue="maintenance", priority=Priority.HIGH)
    assert (spec_build(urgent, {}).queue, spec_build(urgent, {}).priority) == ("maintenance", 1)


def test_a_delay_is_a_number_of_seconds_a_text_or_a_span(spec: Any) -> None:
    for delay in (90, 90.0, "90s", "1.5m", timedelta(seconds=90)):
        made = spec(delay=delay)
        assert made.run_at - made.created_at == timedelta(seconds=90)
        assert made.state == "scheduled"
    assert spec(delay=0).state == "available"


def test_run_at_is_a_moment(spec: Any) -> None:
    moment = datetime(2031, 1, 1, tzinfo=UTC)
    assert (spec(run_at=moment).run_at, spec(run_at=moment).state) == (moment, "scheduled")
    assert spec(run_at=datetime(2020, 1, 1, tzinfo=UTC)).state == "available"


def test_a_deadline_is_a_moment_or_a_span_from_now(spec: Any) -> None:
    moment = datetime(2031, 1, 1, tzinfo=UTC)
    assert spec(deadline=moment).deadline_at == moment
    made = spec(deadline="5m")
    assert made.deadline_at == made.created_at + timedelta(minutes=5)


def test_a_ladder_of_its_own_is_numbers_or_texts(spec: Any) -> None:
    for retry in ("30s 1m 5m", [30, 60, 300], ["30s", "1m", 300.0], Delays("30s 1m 5m")):
        made = spec(retry=retry)
        assert (made.retry_delays, made.max_attempts) == ([30, 60, 300], 4)
    assert (spec(retry=[]).retry_delays, spec(retry=[]).max_attempts) == ([], 1)


def test_other_options_are_taken_as_they_are(spec: Any) -> None:
    batch = uuid7()
    made = spec(queue="maintenance", priority=0, timeout="1.5s", batch=batch, correlation_id="c-1")
    assert (made.queue, made.priority, made.timeout_s, made.batch_id, made.correlation_id) == (
        "maintenance", 0, 1.5, batch, "c-1",
    )  # fmt: skip


def test_a_batch_may_be_named_by_its_text(spec: Any) -> None:
    batch = uuid7()
    assert spec(batch=str(batch)).batch_id == batch


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"delay": -1}, "delay: -1 is negative"),
        ({"delay": "-5s"}, "delay: '-5s' is not a span of time such as 30s, 5m or 1h"),
        ({"delay": "soon"}, "delay: 'soon' is not a span of time such as 30s, 5m or 1h"),
        ({"delay": True}, "delay: True is not a span of time"),
        ({"delay": float("nan")}, "delay: nan is not a span of time"),
        ({"delay": 1e300}, "delay: 1e+300 is not a span of time"),
        ({"delay": [1]}, "delay: [1] is not a span of time"),
        ({"delay": "11 y"}, "delay: '11 y' is not a span of time such as 30s, 5m or 1h"),
        ({"delay": "4000d"}, "delay must be at most ten years"),
        ({"delay": 1, "run_at": clock.now()}, "give run_at or delay, not both"),
        ({"run_at": "2031-01-01"}, "run_at must be a moment with a time zone"),
        ({"run_at": datetime(2031, 1, 1)}, "run_at must be a moment with a time zone"),  # noqa: DTZ001
        ({"deadline": datetime(2031, 1, 1)}, "deadline must be a moment with a time zone"),  # noqa: DTZ001
        ({"deadline": "never"}, "deadline: 'never' is not a span of time such as 30s, 5m or 1h"),
        ({"deadline": "9999999d"}, "deadline must be at most ten years"),
        ({"priority": 4}, "priority must be 0 (critical), 1, 2 or 3 (low)"),
        ({"priority": -1}, "priority must be 0 (critical), 1, 2 or 3 (low)"),
        ({"priority": "1"}, "priority must be 0 (critical), 1, 2 or 3 (low)"),
        ({"priority": True}, "priority must be 0 (critical), 1, 2 or 3 (low)"),
        ({"priority": 1.0}, "priority must be 0 (critical), 1, 2 or 3 (low)"),
        ({"timeout": 0}, "timeout must be more than 0 and at most one day"),
        ({"timeout": "25h"}, "timeout must be more than 0 and at most one day"),
        ({"retry": "1s soon"}, "retry: 'soon' is not a span of time such as 30s, 5m or 1h"),
        ({"retry": [-1]}, "retry: -1 is negative"),
        ({"retry": 5}, "retry: 'int' object is not iterable"),
        ({"retry": [1] * 101}, "retry: at most 100 delays"),
        ({"retry": ["4000d"]}, "retry must be at most ten years"),
        ({"batch": "mine"}, "batch must be the id of a batch"),
        ({"correlation_id": "x" * 65}, "correlation_id must have 1 to 64 characters"),
        ({"correlation_id": "a\x00b"}, "correlation_id must have 1 to 64 characters"),
    ],
)
def test_a_wrong_option_is_refused_with_a_sentence(
    spec: Any, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(EnqueueInvalid) as refused:
        spec(**options)
    assert refused.value.message == says
    assert (refused.value.status, refused.value.code) == (422, "invalid_option")
