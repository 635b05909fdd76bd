"""Many jobs at once: the same rows as one by one, all or none."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.batches import batch_open
from jobs.enqueue import _COPY_FROM, enqueue_many, jobs_enqueue
from jobs.errors import ArgsInvalid, EnqueueInvalid, QueueUnknown
from jobs.ladders import Delays
from jobs.models import Job
from jobs.registry import Debounce, Enqueued, JobKind
from jobs.specs import JobSpec, spec_build
from lib.ids import uuid7
from tests.jobs.conftest import Declare


def _act(n: int = 0, text: str = "") -> None: ...


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare(_act, retry=Delays("1s 2s"))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
OPTIONS = st.fixed_dictionaries(
    {"n": st.integers(-(2**53), 2**53), "text": TEXTS},
    optional={
        "priority": st.integers(0, 3),
        "queue": st.sampled_from(["maintenance", "external"]),
        "delay": st.integers(0, 10**6),
        "deadline": st.integers(0, 10**6),
        "timeout": st.floats(0.001, 86400),
        "retry": st.lists(st.integers(0, 10**5), max_size=3),
        "partition": st.sampled_from(["a", "b\tc", "\\N", "é"]),
        "correlation_id": st.text("abc\\\n\t", min_size=1, max_size=9),
    },
)  # fmt: skip


def _fields(made: list[Enqueued]) -> list[dict[str, Any]]:
    """The rows of jobs but for what must differ."""
    rows = Job.objects.in_bulk([one.id for one in made])
    return [
        {name: value for name, value in vars(rows[one.id]).items() if name not in {"_state", "id", "seq"}}
        for one in made
    ]  # fmt: skip


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(OPTIONS, min_size=_COPY_FROM, max_size=30))
def test_copied_rows_equal_inserted_ones_field_by_field(
    kind: JobKind[Any], calls: list[dict[str, Any]]
) -> None:
    specs = [spec_build(kind, call) for call in calls]
    twins: list[JobSpec] = [replace(spec, id=uuid7()) for spec in specs]
    singly = [jobs_enqueue([spec])[0] for spec in specs]
    one_by_one = _fields(singly)
    Job.objects.all().delete()
    assert _fields(jobs_enqueue(twins)) == one_by_one
    Job.objects.all().delete()


@pytest.mark.parametrize("count", [1, 2, _COPY_FROM - 1, _COPY_FROM, 3 * _COPY_FROM])
def test_results_and_rows_stand_in_the_order_of_the_calls(kind: JobKind[Any], count: int) -> None:
    made = enqueue_many([(kind, {"n": n}) for n in range(count)])
    rows = Job.objects.order_by("seq")
    assert [row.pk for row in rows] == [one.id for one in made]
    assert [row.args["n"] for row in rows] == list(range(count))
    assert not any(one.deduplicated for one in made)


def test_no_calls_make_no_jobs() -> None:
    assert enqueue_many([]) == []


def test_kinds_queues_and_keys_may_be_mixed(kind: JobKind[Any], declare: Declare) -> None:
    other = declare(name="tests.other", queue="maintenance")
    batch = batch_open(title="mixed")
    made = enqueue_many(
        [
            (kind, {"n": 1}), (other, {"n": 2, "partition": "a"}), (kind, {"n": 3, "unique": "u"}),
            (kind, {"n": 4, "debounce": Debounce("1m")}), (other, {"n": 5, "partition": "a"}),
            (kind, {"n": 6, "unique": "u"}), (kind, {"n": 7, "batch": batch}),
        ]
    )  # fmt: skip
    rows = {row.args["n"]: row for row in Job.objects.all()}
    assert sorted(rows) == [1, 2, 3, 4, 5, 7]
    assert [one.deduplicated for one in made] == [False] * 5 + [True, False]
    assert made[5].id == made[2].id
    assert [rows[n].blocked for n in (2, 5)] == [False, True]
    assert rows[4].run_at - rows[4].created_at == timedelta(minutes=1)
    assert rows[7].batch_id == batch


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"n": "x"}, ArgsInvalid),
        ({"queue": "nowhere"}, QueueUnknown),
        ({"delay": -1}, EnqueueInvalid),
        ({"batch": uuid7()}, EnqueueInvalid),
    ],
)
def test_one_bad_call_makes_none(
    kind: JobKind[Any], bad: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        enqueue_many([*[(kind, {"n": n}) for n in range(30)], (kind, bad)])
    assert not Job.objects.exists()


def test_ten_thousand_rows_need_few_queries(
    kind: JobKind[Any], django_assert_num_queries: Any
) -> None:
    calls = [(kind, {"n": n}) for n in range(10_000)]
    enqueue_many(calls[:1])  # the queue is known from here on
    with django_assert_num_queries(1):  # a COPY
        enqueue_many(calls[1:])
    assert Job.objects.count() == 10_000
