"""async_task() of libraries: kept as a job, run as one, and answered as django-q2 would answer."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django_q.models import Failure, Success
from django_q.signals import post_execute, pre_execute
from django_q.signing import SignedPackage
from django_q.tasks import Chain, async_chain, async_task, fetch, result, result_group

from jobs.lease import leases_reap
from jobs.models import Job
from jobs.registry import kind_get
from jobs.testing import drain
from tests.jobs import play

calls: list[Any] = []


def note(*args: Any, **kwargs: Any) -> Any:
    calls.append((args, kwargs))
    return args


def fail() -> None:
    calls.append("fail")
    raise ValueError("their own fault")


def hooked(task: Any) -> None:
    calls.append(("hook", task.success, task.result))


NOTE, FAIL, HOOK = (f"{__name__}.{name}" for name in ("note", "fail", "hooked"))


@pytest.fixture(autouse=True)
def no_calls(committed: None) -> None:
    calls.clear()


def test_a_task_is_a_job_and_its_result_can_be_fetched() -> None:
    task_id = async_task(NOTE, 1, "two", x=3)
    assert Job.objects.get().kind == "django_q.task"
    assert drain() == 1
    assert calls == [((1, "two"), {"x": 3})]
    assert result(task_id) == (1, "two")
    assert fetch(task_id).success
    assert Success.objects.count() == 1


def test_it_is_part_of_the_transaction_of_its_caller() -> None:
    with transaction.atomic():
        async_task(NOTE)
        transaction.set_rollback(True)
    assert not Job.objects.exists()


def test_a_callable_works_like_its_name() -> None:
    async_task(note, 5)
    drain()
    assert calls == [((5,), {})]


def test_a_failure_is_kept_as_theirs_and_needs_a_person_as_ours() -> None:
    task_id = async_task(FAIL)
    drain()
    assert calls == ["fail"]
    assert Job.objects.get().state == "dead"
    assert "their own fault" in (Job.objects.get().last_error or "")
    assert Failure.objects.get().id == task_id
    assert "their own fault" in Failure.objects.get().result


def test_a_hook_is_called_with_the_task() -> None:
    async_task(NOTE, 1, hook=HOOK)
    async_task(FAIL, hook=HOOK)
    drain()
    assert calls == [
        ((1,), {}),
        ("hook", True, (1,)),
        "fail",
        ("hook", False, "ValueError: their own fault"),
    ]


def test_groups_gather_their_results() -> None:
    for n in range(3):
        async_task(NOTE, n, group="numbers")
    drain()
    assert sorted(result_group("numbers")) == [(0,), (1,), (2,)]


def test_a_chain_goes_on_from_task_to_task() -> None:
    async_chain([(NOTE, (1,)), (NOTE, (2,)), (NOTE, (3,))])
    assert Job.objects.count() == 1
    drain()
    assert [args for args, _ in calls] == [(1,), (2,), (3,)]
    chain = Chain()
    chain.append(NOTE, 4)
    chain.run()
    drain()
    assert calls[-1] == ((4,), {})


def test_signals_of_django_q_are_sent() -> None:
    told: list[str] = []

    def before(sender: Any, task: Any, **more: Any) -> None:
        told.append(f"before {task['args']}")

    def after(sender: Any, task: Any, **more: Any) -> None:
        told.append(f"after {task['result']}")

    pre_execute.connect(before)
    post_execute.connect(after)
    try:
        async_task(NOTE, 7)
        drain()
    finally:
        pre_execute.disconnect(before)
        post_execute.disconnect(after)
    assert told == ["before (7,)", "after (7,)"]


@pytest.mark.parametrize("func", ["nowhere.at.all", "math.pi"])
def test_a_function_that_is_not_there_needs_a_person(func: str) -> None:
    async_task(func)
    drain()
    row = Job.objects.get()
    assert (row.state, row.last_error) == ("dead", f"function {func} is not defined")


@pytest.mark.parametrize("damage", ["turned", "cut", "empty"])
def test_a_package_that_was_tampered_with_is_never_opened(damage: str) -> None:
    made = async_task(NOTE)
    row = Job.objects.get()
    package = row.args["package"]
    row.args["package"] = {"turned": package[::-1], "cut": package[:-4], "empty": ""}[damage]
    row.save(update_fields=["args"])
    drain()
    assert (Job.objects.get().state, calls, fetch(made)) == ("dead", [], None)
    assert "signature" in (Job.objects.get().last_error or "")


def test_a_package_of_something_that_is_gone_needs_a_person() -> None:
    made = async_task(NOTE)
    row = Job.objects.get()
    row.args["package"] = SignedPackage.dumps([made])
    row.save(update_fields=["args"])
    drain()
    assert Job.objects.get().state == "dead"


def test_a_lost_worker_does_not_lose_the_task() -> None:
    async_task(NOTE, 1)
    play.lapse(play.lease_one())
    leases_reap()
    assert drain() == 1
    assert calls == [((1,), {})]


def test_a_task_may_take_an_hour() -> None:
    assert kind_get("django_q.task").timeout == timedelta(hours=1)
