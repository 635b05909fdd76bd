"""What of the job platform needs a person now: said on the first page, with the way to it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs import breakers
from jobs.models import ScheduleEntry, Worker
from jobs.registry import JobKind
from jobs.testing import drain
from jobs.workers import worker_start
from lib import clock, now
from lib.now import Attention, gather
from tests.jobs.admin.ways import to

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the rooms above say of the same trouble is theirs to test."""
    sources = {name: each for name, each in now._sources.items() if name.startswith("jobs.")}
    monkeypatch.setattr(now, "_sources", sources)


def needed() -> dict[str, Attention]:
    """What somebody who may see all is told, by title."""
    return {item.title: item for item in gather(User(is_superuser=True, is_active=True))}


def test_while_all_is_well_nothing_is_said() -> None:
    assert needed() == {}


def test_whatever_is_wrong_is_counted_and_leads_to_its_page(
    alice: Client, failing: JobKind[Any]
) -> None:
    for number in range(2):
        failing.enqueue(payment_id=number, currency="XYZ")
    drain()
    alice.post(to("queue_pause", "default"))
    for _ in range(3):
        breakers.record_failure("panel", "502")
    worker_start("w1", host="box", pid=1, queues=["default"])
    Worker.objects.update(beat_at=clock.now() - timedelta(minutes=5))
    entry = ScheduleEntry.objects.first()
    assert entry is not None
    ScheduleEntry.objects.filter(pk=entry.pk).update(quarantined_at=clock.now())

    found = needed()
    assert {title: item.count for title, item in found.items()} == {
        "dead jobs": 2,
        "open breaker": 1,
        "quarantined schedule": 1,
        "silent worker": 1,
        "paused queue": 1,
    }
    assert "default" in found["paused queue"].hint
    assert "panel" in found["open breaker"].hint
    for item in found.values():
        assert alice.get(item.url).status_code == 200


def test_who_may_not_see_the_jobs_is_not_told(failing: JobKind[Any]) -> None:
    failing.enqueue(payment_id=1, currency="XYZ")
    drain()
    assert gather(User.objects.create_user("carol")) == []
