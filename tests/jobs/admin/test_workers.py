"""Workers: who lives, who is silent, what they run, and telling them what to do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from jobs.models import Worker
from jobs.registry import JobKind
from jobs.selectors.workers import workers_list, workers_silent
from jobs.workers import worker_beat, worker_start
from lib import clock
from tests.jobs.admin.ways import acts, said, text, to
from tests.jobs.play import lease

pytestmark = pytest.mark.django_db

HOME = "worker_changelist"


def worker_make(name: str, *, beat_ago: timedelta = timedelta(0), **changes: Any) -> Worker:
    worker_start(name, host="box", pid=7, queues=["default"])
    Worker.objects.filter(pk=name).update(beat_at=clock.now() - beat_ago, **changes)
    return Worker.objects.get(pk=name)


def test_silent_ones_come_first_and_stopped_ones_last() -> None:
    worker_make("stopped", stopped_at=clock.now())
    worker_make("alive")
    worker_make("silent", beat_ago=timedelta(minutes=2))
    found = [(view.worker.pk, view.condition) for view in workers_list()]
    assert found == [("silent", "silent"), ("alive", "alive"), ("stopped", "stopped")]
    assert workers_silent() == 1


def test_the_page_tells_how_a_worker_fares(alice: Client, quiet: JobKind[Any]) -> None:
    worker_make("web-1:7:abc")
    worker_beat("web-1:7:abc", rss_bytes=131 * 1024 * 1024, started=1500, completed=1400, failed=12)
    quiet.enqueue()
    lease(worker="web-1:7:abc")
    shown = text(alice.get(to(HOME)))
    for words in (
        "web-1:7:abc",
        "pid 7 on box",
        "131 MB",
        "1,400 of 1,500",
        "12 failed",
        "default",
    ):
        assert words in shown
    assert "tests.quiet" in shown


def test_many_leases_are_shown_as_a_number(quiet: JobKind[Any]) -> None:
    worker_make("w1")
    for _ in range(8):
        quiet.enqueue()
    lease(worker="w1")
    view = workers_list()[0]
    assert (len(view.running), view.held) == (5, 8)


@pytest.mark.parametrize("directive", ["quiet", "terminate", "run"])
def test_a_worker_is_told(alice: Client, directive: str) -> None:
    worker_make("w1", directive="quiet" if directive == "run" else "run")
    alice.post(to("worker_direct", "w1"), {"directive": directive})
    assert worker_beat("w1") == directive
    assert acts() == [("alice", f"workers.{directive}", "w1")]


def test_what_no_worker_understands_is_refused(alice: Client) -> None:
    worker_make("w1")
    answer = alice.post(to("worker_direct", "w1"), {"directive": "dance"}, follow=True)
    assert said(answer) == ["Refused: directive must be run, quiet or terminate."]
    answer = alice.post(to("worker_direct", "w2"), {"directive": "quiet"}, follow=True)
    assert said(answer) == ["Refused: there is no worker w2."]
    assert acts() == []


def test_without_workers_the_page_says_how_to_start_one(alice: Client) -> None:
    assert "python manage.py qcluster" in text(alice.get(to(HOME)))


def test_the_page_costs_the_same_with_more_workers(
    alice: Client, quiet: JobKind[Any], queries: Any
) -> None:
    worker_make("w0")
    few = queries(alice, to(HOME))
    for number in range(1, 12):
        worker_make(f"w{number}")
        quiet.enqueue()
        lease(worker=f"w{number}")
    assert queries(alice, to(HOME)) == few
