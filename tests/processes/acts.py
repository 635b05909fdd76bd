"""What a web process would do, done by tests/processes/caller.py when a test says so."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django_q.models import Schedule
from django_q.tasks import async_task, result

from jobs import console, operations
from jobs.enqueue import enqueue_many, job_enqueue
from jobs.models import ScheduleEntry
from jobs.registry import Debounce, kind_get
from jobs.schedules import schedules_declare
from lib import clock

_open: list[transaction.Atomic] = []


def enqueue(kind: str, **given: Any) -> str:
    """Enqueue one job; debounce is [key, window, max_wait]. Returns its id."""
    if "debounce" in given:
        key, window, max_wait = given.pop("debounce")
        given["debounce"] = (key, Debounce(window, max_wait))
    return str(job_enqueue(kind_get(kind), **given).id)


def enqueue_all(calls: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    """Enqueue many in one transaction. Returns their ids."""
    return [str(made.id) for made in enqueue_many([(kind_get(kind), dict(g)) for kind, g in calls])]


def enqueue_each(calls: Sequence[tuple[str, dict[str, Any]]], threads: int = 1) -> list[str]:
    """Enqueue many, each in a transaction of its own, from several threads at once."""
    ids: list[str] = []

    def work(part: Sequence[tuple[str, dict[str, Any]]]) -> None:
        ids.extend(enqueue(kind, **given) for kind, given in part)

    _together([partial(work, calls[i::threads]) for i in range(threads)])
    return ids


def _together(calls: Sequence[Callable[[], None]]) -> None:
    """Run calls in threads that start at one moment. Raises what the first of them raised."""
    failures: list[BaseException] = []
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], None]) -> None:
        try:
            gate.wait()
            call()
        except BaseException as exc:  # noqa: BLE001 - raised again by whoever waits for us
            failures.append(exc)
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=(call,)) for call in calls]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]


def begin() -> None:
    """Open a transaction that stays open."""
    _open.append(transaction.atomic())
    _open[-1].__enter__()


def commit() -> None:
    _open.pop().__exit__(None, None, None)


def rollback() -> None:
    failed = RuntimeError("a test rolls back")
    _open.pop().__exit__(RuntimeError, failed, None)


def cancel(job_id: str) -> str:
    return operations.job_cancel(job_id=UUID(job_id), by=None, reason="a test")


def pause(queue: str) -> None:
    console.queue_pause(name=queue, by=None, reason="a test")


def resume(queue: str) -> None:
    console.queue_resume(name=queue, by=None)


def start_task(function: str, *args: Any, **options: Any) -> str:
    """async_task() as a library calls it. Returns the id of the task."""
    task_id: str = async_task(function, *args, **options)
    return task_id


def task_result(task_id: str) -> Any:
    """result() as a library calls it; None: not there yet."""
    return result(task_id)


def schedule(name: str, kind: str, *, every_s: float, **args: Any) -> int:
    """A schedule of a kind of ours, due now. Returns the id of its entry."""
    row = Schedule.objects.create(
        name=name, func="jobs.schedules.fire_now", args=repr((name,)), repeats=-1,
        schedule_type=Schedule.MINUTES, minutes=1, next_run=clock.now(),
    )  # fmt: skip
    entry = ScheduleEntry.objects.create(
        schedule=row, name=name, kind=kind, args=args, every_s=every_s, is_declared=False
    )
    return int(entry.pk)


def schedule_of_others(name: str, func: str, **fields: Any) -> int:
    """A row as a library writes it, due a while ago. Returns its id."""
    row = Schedule.objects.create(
        name=name, func=func, repeats=-1, schedule_type=Schedule.MINUTES, minutes=1,
        next_run=clock.now() - timedelta(seconds=1), **fields,
    )  # fmt: skip
    return int(row.pk)


def forget_schedules() -> None:
    """Leave no periodic job, so that a test sees its own jobs only."""
    Schedule.objects.all().delete()


def declare_schedules() -> None:
    schedules_declare()
