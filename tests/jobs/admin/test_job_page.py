"""The page of one job: its story, and what can be done from there."""

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from jobs import batches, breakers, registry
from jobs.context import current_job
from jobs.ladders import NEVER, Delays
from jobs.lease import leases_reap
from jobs.models import Job, JobRecord, Priority
from jobs.registry import JobKind
from jobs.selectors import story
from jobs.selectors.story import job_obstacles, job_relatives, job_tries
from jobs.testing import drain
from jobs.workers import worker_start
from lib import clock
from lib.context import correlated
from tests.jobs.admin.ways import acts, is_redirect, job, said, text
from tests.jobs.conftest import Declare
from tests.jobs.play import lapse, lease_one
from tests.jobs.play import state as state_of

pytestmark = pytest.mark.django_db

Kind = JobKind[Any]


def record(job_id: Any) -> JobRecord:
    return JobRecord.objects.get(pk=job_id)


def test_a_dead_job_says_why_in_plain_words(alice: Client, failing: Kind) -> None:
    with correlated("request-0001"):
        dead = failing.enqueue(payment_id=7, currency="XYZ").id
    drain()
    shown = text(alice.get(job(dead)))
    assert "Gave up after attempt 1: ValueError: invoice 7: currency XYZ is not known" in shown
    assert "Traceback" in shown
    assert "Book a payment." in shown
    assert '"currency": "XYZ"' in shown
    assert "request-0001" in shown
    for label in ("Fix the args and replay", "Replay as it is", "Try again", "Discard"):
        assert label in shown


def test_showing_a_job_never_runs_it(alice: Client, declare: Declare) -> None:
    ran = []
    kind = declare(lambda: ran.append(1), name="tests.harmless")
    made = kind.enqueue().id
    assert alice.get(job(made)).status_code == 200
    alice.post(job(made, "cancel"))
    assert alice.get(job(made, "edit")).status_code == 200
    assert ran == []


def test_every_try_is_told_with_its_error_and_its_log_lines(declare: Declare) -> None:
    kind = declare(_fails_twice, name="tests.twice", retry=Delays("1m 1m"))
    made = kind.enqueue().id
    for minutes in range(3):
        with clock.shift(timedelta(minutes=2 * minutes)):
            drain()
    tries = job_tries(record(made))
    assert [(one.number, one.outcome) for one in tries] == [
        (1, "retried"),
        (2, "retried"),
        (3, "completed"),
    ]
    assert "attempt 2 fails" in str(tries[1].error)
    assert [line["message"] for line in tries[2].logs] == ["this is attempt 3"]
    assert tries[0].next_run_at is not None
    assert tries[1].waited is not None
    assert tries[1].waited < timedelta(minutes=2)


def _fails_twice() -> None:
    context = current_job()
    assert context is not None
    logging.getLogger("tests").info("this is attempt %s", context.attempt)
    if context.attempt < 3:
        raise ValueError(f"attempt {context.attempt} fails")


def test_a_running_job_shows_its_progress_live(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue().id
    lease_one(worker="web-1")
    Job.objects.filter(pk=made).update(
        progress={"done": 1, "total": 4, "pct": 25.0, "msg": "row 1"}
    )
    page = alice.get(job(made))
    assert "Runs on web-1" in text(page)
    assert "25 % · 1 of 4 · row 1" in text(page)
    assert page.context["is_open"]
    live = alice.get(job(made, "live"), {"seen": page.context["seen"]})
    assert b"25 %" in live.content
    assert "HX-Refresh" not in live.headers


def test_the_live_part_asks_for_the_whole_page_when_the_job_moved_on(
    alice: Client, quiet: Kind
) -> None:
    made = quiet.enqueue().id
    seen = alice.get(job(made)).context["seen"]
    drain()
    answer = alice.get(job(made, "live"), {"seen": seen})
    assert answer.headers["HX-Refresh"] == "true"


def test_a_crash_is_one_of_the_tries(quiet: Kind) -> None:
    made = quiet.enqueue().id
    lapse(lease_one(worker="gone"))
    leases_reap()
    drain()
    assert [one.outcome for one in job_tries(record(made))] == ["crashed", "completed"]


def test_what_holds_a_job_up_is_named(alice: Client, declare: Declare) -> None:
    kind = declare(name="tests.guarded", breaker="panel")
    first = kind.enqueue(partition="line").id
    second = kind.enqueue(partition="line").id
    for _ in range(3):
        breakers.record_failure("panel", "ConnectTimeout: 5 s")
    alice.post("/admin/jobs/queue/default/pause/", {"reason": "maintenance"})
    found = {obstacle.about: obstacle for obstacle in job_obstacles(record(second))}
    assert set(found) == {"queue", "breaker", "key", "worker"}
    assert "paused by alice: maintenance" in found["queue"].text
    assert "ConnectTimeout" in found["breaker"].text
    assert found["key"].job_id == first
    shown = text(alice.get(job(second)))
    for obstacle in found.values():
        assert obstacle.text in shown


def test_a_living_worker_is_no_obstacle_and_neither_is_an_idle_time(quiet: Kind) -> None:
    due, later = quiet.enqueue().id, quiet.enqueue(delay="1h").id
    assert [one.about for one in job_obstacles(record(due))] == ["worker"]
    assert job_obstacles(record(later)) == []
    worker_start("w1", host="h", pid=1, queues=["default"])
    assert job_obstacles(record(due)) == []


def test_a_kind_that_vanished_is_said_and_cannot_be_replayed(
    alice: Client, failing: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = failing.enqueue(payment_id=7, currency="XYZ").id
    drain()
    monkeypatch.delitem(registry._kinds, "tests.capture")
    shown = text(alice.get(job(dead)))
    assert "Fix the args" not in shown
    assert "Discard" in shown
    answer = alice.get(job(dead, "edit"), follow=True)
    assert "not declared any more" in said(answer)[0]
    answer = alice.post(job(dead, "replay"), follow=True)
    assert said(answer) == ["Refused: no job is declared as 'tests.capture'."]


def test_a_job_knows_its_parent_and_its_follow_ups(alice: Client, declare: Declare) -> None:
    child = declare(name="tests.child")

    def enqueue_two() -> None:
        child.enqueue(n=1)
        child.enqueue(n=2)

    parent = declare(enqueue_two, name="tests.parent").enqueue().id
    drain()
    relatives = job_relatives(record(parent), job_tries(record(parent)))
    assert relatives.follow_ups is not None
    assert [found.kind for found in relatives.follow_ups] == ["tests.child"] * 2
    first = relatives.follow_ups[0]
    back = job_relatives(first, job_tries(first))
    assert back.parent is not None
    assert back.parent.pk == parent
    assert "Jobs that it enqueued" in text(alice.get(job(parent)))


def test_follow_ups_that_take_too_long_to_find_are_said_to_be_unknown(
    alice: Client, quiet: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = quiet.enqueue().id
    drain()
    real = story._within

    @contextmanager
    def impatient(limit_ms: int) -> Any:
        with real(1), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(1)")  # the database itself gives up
            yield

    monkeypatch.setattr(story, "_within", impatient)
    assert "Too many jobs were made while it ran" in text(alice.get(job(made)))


def test_giving_up_on_a_query_leaves_the_connection_as_it_was() -> None:
    with pytest.raises(OperationalError), story._within(1), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1)")
    with story._within(5000):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_the_batch_of_a_job_is_told(alice: Client, quiet: Kind) -> None:
    batch = batches.batch_open(title="Import of November")
    made = quiet.enqueue(batch=batch).id
    batches.batch_seal(batch)
    drain()
    shown = text(alice.get(job(made)))
    assert "Import of November" in shown
    assert "1 of 1 completed, 0 dead" in shown


def test_run_now(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue(delay="1h").id
    alice.post(job(made, "run"), {"next": job(made)})
    assert Job.objects.get(pk=made).run_at <= clock.now()
    assert acts() == [("alice", "jobs.retry", str(made))]


def test_cancel_a_waiting_job(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue(delay="1h").id
    answer = alice.post(job(made, "cancel"), {"reason": "by mistake", "next": job(made)})
    assert is_redirect(answer, job(made))
    assert state_of(made) == "cancelled"
    shown = text(alice.get(job(made)))
    assert "by mistake" in shown
    assert "alice cancelled" in shown


def test_cancel_a_running_job(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue().id
    lease_one()
    answer = alice.post(job(made, "cancel"), {"next": job(made)}, follow=True)
    assert said(answer) == ["The worker is told to stop the job; that takes a moment."]
    assert "cancelling" in text(answer)
    assert state_of(made) == "running"


def test_cancelling_a_finished_job_is_refused_in_words(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue().id
    drain()
    answer = alice.post(job(made, "cancel"), {"next": job(made)}, follow=True)
    assert said(answer) == [f"Refused: job {made} is completed."]
    assert acts() == []


def test_discard(alice: Client, failing: Kind) -> None:
    dead = failing.enqueue(payment_id=1, currency="XYZ").id
    drain()
    answer = alice.post(
        job(dead, "discard"), {"reason": "test data", "next": job(dead)}, follow=True
    )
    assert "Discarded: test data" in text(answer)
    assert "put away" in text(answer)
    assert acts() == [("alice", "jobs.discard", str(dead))]


def test_try_again_gives_a_dead_job_its_attempts_back(alice: Client, failing: Kind) -> None:
    dead = failing.enqueue(payment_id=1, currency="XYZ").id
    drain()
    alice.post(job(dead, "run"))
    assert Job.objects.get(pk=dead).attempt == 0
    assert state_of(dead) == "available"


def test_replay_leads_to_the_new_job_and_both_know_each_other(alice: Client, failing: Kind) -> None:
    dead = failing.enqueue(payment_id=1, currency="XYZ").id
    drain()
    answer = alice.post(job(dead, "replay"), follow=True)
    new = answer.context["job"]
    assert new.pk != dead
    assert new.replay_of == dead
    assert "A replay of" in text(answer)
    assert "Replayed as" in text(alice.get(job(dead)))


@pytest.mark.parametrize("given", ["7", "", "x"])
def test_a_priority_that_does_not_exist_is_refused(alice: Client, quiet: Kind, given: str) -> None:
    made = quiet.enqueue().id
    answer = alice.post(job(made, "priority"), {"priority": given}, follow=True)
    assert said(answer)[0].startswith("Refused: priority must be 0")
    assert Job.objects.get(pk=made).priority == Priority.NORMAL


def test_change_the_priority(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue().id
    alice.post(job(made, "priority"), {"priority": "0"})
    assert Job.objects.get(pk=made).priority == Priority.CRITICAL
    assert acts() == [("alice", "jobs.reprioritize", str(made))]


def test_the_page_costs_the_same_with_more_tries_and_relatives(
    alice: Client, declare: Declare, queries: Any
) -> None:
    child = declare(name="tests.child")
    counts = []
    for children in (1, 10):

        def enqueue(children: int = children) -> None:
            for n in range(children):
                child.enqueue(n=n)

        kind = declare(enqueue, name=f"tests.parent{children}", retry=NEVER)
        made = kind.enqueue().id
        drain()
        counts.append(queries(alice, job(made)))
    assert counts[0] == counts[1]
