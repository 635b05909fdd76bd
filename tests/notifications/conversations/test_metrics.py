"""What was counted, and what Prometheus sees of it."""

from datetime import timedelta

import pytest

from config.metrics import exposition
from jobs import stats as job_stats
from jobs.testing import job_perform
from lib import clock
from notifications.conversations import ring as ringing
from notifications.conversations import stats
from notifications.conversations.models import Stat
from tests.notifications.conversations.play import after, counted, dialog, read, ring, say

pytestmark = pytest.mark.usefixtures("endpoint")


def shown() -> dict[str, float]:
    """The samples of the conversations at /metrics."""
    lines = exposition()[0].decode().splitlines()
    found = [line.rsplit(" ", 1) for line in lines if line.startswith(("smart_", "conversation_"))]
    return {name: float(value) for name, value in found}


def test_the_numbers_of_a_day() -> None:
    told, unread, done = dialog(), dialog(), dialog()
    for each in (told, told, unread, done):
        say(each)
    read(done)
    ring()
    with after(minutes=1):
        say(unread)
        numbers = shown()
    assert numbers["smart_notifications_processed_total"] == 3
    assert numbers["smart_notifications_sent_total"] == 2
    assert numbers["smart_notifications_debounced_total"] == 1
    assert numbers['smart_notifications_skipped_total{reason="read"}'] == 1
    assert numbers['smart_notifications_skipped_total{reason="left"}'] == 0
    assert numbers["smart_notifications_failed_total"] == 0
    assert numbers["smart_notifications_waiting"] == 1
    assert numbers["conversation_messages_total"] == 5


def test_a_try_that_fails_is_counted_and_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    each = dialog()
    say(each)
    with monkeypatch.context() as broken:
        broken.setattr(ringing, "pending_event", lambda *_: {"not": {"JSON"}})
        ring()
    job_stats.flush()
    assert shown()["smart_notifications_failed_total"] == 1
    assert counted() == {}  # nothing of the failed try is left
    assert ring(seconds=60) == 1
    assert counted() == {"sent": 1}


def test_folding_keeps_the_totals() -> None:
    now = clock.now().replace(second=0, microsecond=0)
    for minutes in (2, 2, 200, 230, 30_000):
        at = now - timedelta(minutes=minutes)
        Stat.objects.create(at=at, event="skipped", reason="read", count=2)
        Stat.objects.create(at=at, event="sent", count=1)
    before = stats.totals()
    outcome = job_perform("conversations.fold_stats")
    assert outcome.result["folded"] > 0  # type: ignore[union-attr]
    assert stats.totals() == before == {("skipped", "read"): 10, ("sent", ""): 5}
    assert Stat.objects.count() < 10
    job_perform("conversations.fold_stats")
    assert stats.totals() == before
