"""Queues: depth by state, rates, pause with a reason, resume."""

from typing import Any

import pytest
from django.test import Client

from jobs import stats
from jobs.models import Queue
from jobs.registry import JobKind
from jobs.selectors import queues as selector
from jobs.selectors.queues import QueueRates, queues_depth, queues_live
from jobs.testing import drain
from tests.jobs.admin.ways import acts, is_redirect, said, text, to
from tests.jobs.play import lease_one

pytestmark = pytest.mark.django_db

HOME = "queue_changelist"


def depth(name: str = "default") -> Any:
    return next(found for found in queues_depth() if found.name == name)


def test_each_state_is_counted_apart(quiet: JobKind[Any], failing: JobKind[Any]) -> None:
    failing.enqueue(payment_id=1, currency="XYZ")
    drain()
    quiet.enqueue()
    lease_one()
    quiet.enqueue(priority=0)
    quiet.enqueue(priority=3)
    quiet.enqueue(delay="1h")
    for _ in range(3):
        quiet.enqueue(partition="line")
    found = depth()
    assert (found.available, found.scheduled, found.running) == (3, 1, 1)
    assert (found.blocked, found.dead) == (2, 1)
    assert found.oldest_due_at is not None
    assert depth("external").available == 0
    assert depth("external").oldest_due_at is None


def test_a_depth_stops_at_the_cap(quiet: JobKind[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selector, "COUNTED", 3)
    for priority in (0, 1, 1, 2, 3):
        quiet.enqueue(priority=priority)
    assert depth().available == 4  # one more than counted: there may be any number


def test_the_page_says_what_waits_where(alice: Client, quiet: JobKind[Any]) -> None:
    quiet.enqueue()
    page = alice.get(to(HOME))
    assert page.status_code == 200
    for name in ("default", "notifications", "maintenance", "external"):
        assert name in text(page)
    assert "?queue=default&state=available" in page.content.decode()


def test_the_live_numbers_are_those_of_the_tables(alice: Client, quiet: JobKind[Any]) -> None:
    for _ in range(3):
        quiet.enqueue()
    stats.flush()
    drain()
    quiet.enqueue()
    live = alice.get(to("queue_live")).json()
    default = live["queues"]["default"]
    assert default["available"] == 1
    assert len(default["made"]) == len(default["ended"]) == selector.MINUTES
    assert sum(default["ended"]) == 3
    assert default["oldest_s"] >= 0
    assert not default["is_paused"]


def test_rates_are_per_second_of_the_last_minutes() -> None:
    rates = QueueRates()
    rates.made[-2:] = [90, 30]
    assert rates.per_second(60.0)["made"] == 1.0
    assert rates.per_second(0.0)["made"] == 2.0
    assert rates.per_second(30.0)["ended"] == 0.0


def test_pausing_says_who_and_why(alice: Client) -> None:
    answer = alice.post(to("queue_pause", "default"), {"reason": "the panel is down"}, follow=True)
    assert "paused" in said(answer)[0]
    queue = Queue.objects.get(pk="default")
    assert queue.paused_at is not None
    assert "by alice: the panel is down" in text(answer)
    assert acts() == [("alice", "queues.pause", "default")]
    assert queues_live(queues_depth())["queues"]["default"]["is_paused"]


def test_resuming_takes_it_up_again(alice: Client) -> None:
    alice.post(to("queue_pause", "default"))
    answer = alice.post(to("queue_resume", "default"))
    assert is_redirect(answer, to(HOME))
    assert Queue.objects.get(pk="default").paused_at is None
    assert [act[1] for act in acts()] == ["queues.pause", "queues.resume"]


def test_a_queue_that_is_not_there_is_refused_in_words(alice: Client) -> None:
    answer = alice.post(to("queue_pause", "nowhere"), follow=True)
    assert said(answer) == ["Refused: there is no queue 'nowhere'."]
    assert acts() == []


def test_the_way_back_is_never_to_another_site(alice: Client) -> None:
    for target in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        answer = alice.post(to("queue_pause", "default"), {"next": target})
        assert is_redirect(answer, to(HOME))


def test_the_page_costs_the_same_with_more_jobs(
    alice: Client, quiet: JobKind[Any], queries: Any
) -> None:
    few = queries(alice, to(HOME))
    for number in range(30):
        quiet.enqueue(partition=f"k{number % 3}")
    assert queries(alice, to(HOME)) == few
