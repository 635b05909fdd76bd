"""What people do to queues, breakers and workers. Schedules: test_schedules_fire.py."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from jobs import breakers
from jobs.console import breaker_set, queue_pause, queue_resume, schedule_pause, worker_direct
from jobs.errors import QueueUnknown
from jobs.models import AuditEntry, Breaker, Queue, ScheduleEntry
from jobs.workers import worker_beat, worker_start
from lib.errors import InputInvalid, NotFound


@pytest.fixture
def ann(account: Callable[..., User]) -> User:
    return account("ann")


def _actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_a_pause_says_who_and_why_and_is_audited_once(ann: User) -> None:
    for _ in range(2):
        queue_pause(name="default", by=ann, reason="the panel is down")
    row = Queue.objects.get(pk="default")
    assert (row.paused_by, row.pause_reason) == (ann, "the panel is down")
    assert row.paused_at is not None
    assert _actions() == ["queues.pause"]


def test_a_second_pause_keeps_the_first(ann: User) -> None:
    queue_pause(name="default", by=ann, reason="first")
    before = Queue.objects.get(pk="default").paused_at
    queue_pause(name="default", by=None, reason="second")
    row = Queue.objects.get(pk="default")
    assert (row.paused_at, row.pause_reason, row.paused_by) == (before, "first", ann)


def test_a_resume_is_audited_once(ann: User) -> None:
    queue_pause(name="default", by=ann)
    for _ in range(2):
        queue_resume(name="default", by=ann)
    row = Queue.objects.get(pk="default")
    assert (row.paused_at, row.paused_by, row.pause_reason) == (None, None, "")
    assert _actions() == ["queues.pause", "queues.resume"]


def test_resuming_what_was_not_paused_is_nothing() -> None:
    queue_resume(name="default", by=None)
    assert _actions() == []


@pytest.mark.parametrize("act", [queue_pause, queue_resume])
def test_an_unknown_queue_is_refused(act: Any) -> None:
    with pytest.raises(QueueUnknown, match="there is no queue 'nowhere'"):
        act(name="nowhere", by=None)


def test_a_schedule_is_paused_once(ann: User) -> None:
    for _ in range(2):
        schedule_pause(name="jobs.fold_stats", by=ann)
    assert ScheduleEntry.objects.get(name="jobs.fold_stats").paused_at is not None
    assert _actions() == ["schedules.pause"]


def test_a_breaker_is_opened_and_closed_by_hand(ann: User) -> None:
    breaker_set(name="panel", is_open=True, by=ann)
    assert breakers.wait_for("panel") is not None
    breaker_set(name="panel", is_open=False, by=ann)
    assert breakers.wait_for("panel") is None
    assert _actions() == ["breakers.open", "breakers.close"]
    reasons = Breaker.objects.get().events.order_by("id").values_list("reason", flat=True)
    assert list(reasons) == ["set by ann", "set by ann"]


def test_a_worker_hears_its_directive_at_its_next_beat(ann: User) -> None:
    worker_start("w1", host="here", pid=1, queues=["default"])
    assert worker_beat("w1") == "run"
    worker_direct(worker_id="w1", directive="quiet", by=ann)
    assert worker_beat("w1") == "quiet"
    assert _actions() == ["workers.quiet"]


def test_an_unknown_directive_or_worker_is_refused() -> None:
    with pytest.raises(InputInvalid, match="directive must be run, quiet or terminate"):
        worker_direct(worker_id="w1", directive="dance", by=None)
    with pytest.raises(NotFound, match="there is no worker w1"):
        worker_direct(worker_id="w1", directive="quiet", by=None)
    assert _actions() == []
