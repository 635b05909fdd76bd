"""Leases that wait: woken by what comes, sent home in time, and costing nothing meanwhile."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpRequest
from rest_framework.response import Response

from jobs import sql
from jobs.api.long_poll import LongPoll
from jobs.console import queue_pause, queue_resume
from jobs.models import Job
from jobs.remote import waiting
from jobs.remote.leases import Granted, remote_lease
from jobs.remote.waiting import WaitingRoom, due_for
from lib import clock
from tests.jobs import play
from tests.jobs.api.caller import Caller, until

pytestmark = pytest.mark.usefixtures("committed")
Wait = Callable[..., "Future[Any]"]


@pytest.fixture
def wait(api: Caller, waiting_room: WaitingRoom) -> Any:
    """Lease in a thread, and go on when the caller waits: wait("w:1:a", queues=[...])."""
    pool = ThreadPoolExecutor(16)

    def lease(worker: str, **options: Any) -> Any:
        try:
            return api.twin().post("worker/lease", {"worker_id": worker, "wait_s": 20, **options})
        finally:
            connections.close_all()

    def start(worker: str = "w:1:a", **options: Any) -> "Future[Any]":
        before = waiting_room.asleep
        future = pool.submit(lease, worker, **options)
        until(lambda: waiting_room.asleep > before or future.done())
        return future

    yield start
    waiting_room.drain()
    pool.shutdown()


def sessions() -> int:
    """Connections of the site to our database; three are ours and the two of the thread that listens."""
    found = sql.row(
        """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'switchboard'"""
    )
    return int(found[0]) if found else 0


def test_a_caller_wakes_when_a_job_is_made(api: Caller, wait: Wait) -> None:
    future = wait()
    assert not future.done()

    job_id = api.make()

    reply = future.result(timeout=10)
    assert (reply.status, reply.body["jobs"][0]["id"]) == (200, job_id)


def test_a_caller_wakes_when_a_job_comes_due(api: Caller, wait: Wait) -> None:
    job_id = api.make(delay_s=0.6)

    reply = wait().result(timeout=10)

    assert reply.body["jobs"][0]["id"] == job_id
    row = Job.objects.get()
    assert row.started_at is not None
    assert row.started_at >= row.run_at


def test_a_caller_wakes_when_a_queue_is_resumed(api: Caller, wait: Wait) -> None:
    queue_pause(name="external", by=None)
    api.make()
    future = wait()

    queue_resume(name="external", by=None)

    assert future.result(timeout=10).status == 200


def test_a_caller_wakes_when_a_lease_ran_out(api: Caller, wait: Wait) -> None:
    job_id = api.make()
    api.lease_one("w:0:lost")
    future = wait()

    Job.objects.update(lease_until=clock.now() + play.PAST)

    assert future.result(timeout=10).body["jobs"][0]["id"] == job_id


def test_a_caller_wakes_when_the_head_of_a_key_has_ended(api: Caller, wait: Wait) -> None:
    api.make(part_key="k")
    second = api.make(part_key="k")
    head = api.lease_one("w:0:a")
    future = wait()

    api.end("complete", head)

    assert future.result(timeout=10).body["jobs"][0]["id"] == second


def test_a_caller_that_waits_for_another_kind_or_queue_sleeps_on(api: Caller, wait: Wait) -> None:
    kinds, queues = wait("w:1:a", kinds=["jobs.noop"]), wait("w:2:b", queues=["maintenance"])

    api.make()
    noop = api.make("jobs.noop", queue="external")

    assert kinds.result(timeout=10).body["jobs"][0]["id"] == noop
    assert not queues.done()


def test_nothing_comes_and_the_answer_is_empty(api: Caller, waiting_room: WaitingRoom) -> None:
    began = monotonic()
    reply = api.post("worker/lease", {"worker_id": "w:1:a", "wait_s": 0.3})

    assert reply.status == 204
    assert monotonic() - began >= 0.3
    assert not waiting_room.interests()


def test_many_wait_and_each_job_goes_to_one(api: Caller, wait: Wait) -> None:
    futures = [wait(f"w:{n}:a") for n in range(12)]

    ids = {api.make() for _ in range(5)}

    def done() -> list[Any]:
        return [future.result() for future in futures if future.done()]

    until(lambda: len(done()) == 5)
    assert {reply.body["jobs"][0]["id"] for reply in done()} == ids
    assert Job.objects.filter(state="running", attempt=1).count() == 5


def test_who_waits_holds_no_connection(api: Caller, wait: Wait) -> None:
    wait("w:0:a")
    until(lambda: sessions() <= 3)
    for n in range(1, 10):
        wait(f"w:{n}:a")

    until(lambda: sessions() <= 3)


def test_when_the_process_stops_all_go_home_at_once(
    api: Caller, wait: Wait, waiting_room: WaitingRoom
) -> None:
    futures = [wait(f"w:{n}:a") for n in range(3)]

    waiting_room.drain()

    for future in futures:
        reply = future.result(timeout=10)
        assert (reply.status, reply.body["code"]) == (503, "draining")
        assert reply.headers["Retry-After"] == "1"
    late = api.post("worker/lease", {"worker_id": "w:9:a", "wait_s": 5})
    assert late.body["code"] == "draining"


def test_a_full_room_says_so(api: Caller, wait: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_WAITING", 2)
    wait("w:1:a")
    wait("w:2:a")

    reply = api.post("worker/lease", {"worker_id": "w:3:a", "wait_s": 5})

    assert (reply.status, reply.body["code"]) == (503, "too_many_waiting")


def test_what_was_leased_for_a_caller_who_hung_up_is_given_back(
    api: Caller, waiting_room: WaitingRoom
) -> None:
    leasing, hung_up = threading.Event(), threading.Event()
    job_id = api.make()

    def attempt() -> list[Granted]:
        granted = remote_lease(
            queues=["external"], limit=1, worker="w:1:a", span=timedelta(seconds=60)
        )
        leasing.set()
        hung_up.wait(10)
        return granted

    async def call() -> None:
        waiter = waiting_room.enter(["external"])
        poll = LongPoll(waiter, 20, attempt, lambda response, granted: None)
        task = asyncio.create_task(poll.answer(HttpRequest(), Response(status=204)))
        await asyncio.to_thread(leasing.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        hung_up.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(call())

    row = Job.objects.get()
    assert (str(row.pk), row.state, row.attempt, row.fence) == (job_id, "available", 0, 1)
    assert not waiting_room.interests()


def test_the_listener_ends_when_nobody_waits(
    api: Caller, wait: Wait, waiting_room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LINGER_S", 0.0)
    future = wait()
    api.make()
    future.result(timeout=10)

    until(lambda: waiting_room._thread is None)
    assert not [each for each in threading.enumerate() if each.name == "waiting-room"]


def test_the_listener_survives_the_loss_of_its_connections(api: Caller, wait: Wait) -> None:
    future = wait()
    until(lambda: sessions() <= 3)
    sql.run(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'switchboard'
            AND pid <> pg_backend_pid()"""
    )

    job_id = api.make()

    assert future.result(timeout=15).body["jobs"][0]["id"] == job_id


def test_due_jobs_are_counted_up_to_what_is_wanted(api: Caller) -> None:
    for _ in range(4):
        api.make()
    api.make("jobs.noop", queue="external", priority=0)
    api.make(queue="maintenance", delay_s=0.5)
    api.make(part_key="k")
    api.make(part_key="k")

    assert due_for(["external"], None, most=100) == (6, 1.0)
    assert due_for(["external"], None, most=3)[0] == 3
    assert due_for(["external"], ["jobs.noop"], most=100)[0] == 1
    due, later_s = due_for(["maintenance"], None, most=100)
    assert due == 0
    assert 0 < later_s <= 0.5
    queue_pause(name="external", by=None)
    assert due_for(["external", "default"], None, most=100)[0] == 0
    assert connection.in_atomic_block is False
