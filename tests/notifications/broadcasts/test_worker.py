"""The named worker of the contract, as far as one process shows it; tests/processes runs its command."""

import logging
from datetime import timedelta

import pytest

from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from notifications.broadcasts.models import Broadcast, Status
from notifications.inbox.models import Notification
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, people_make

pytestmark = pytest.mark.django_db(transaction=True)


def tick(**args: int) -> dict[str, int]:
    outcome = job_perform("notifications.broadcast", **args)
    assert isinstance(outcome, Done)
    found: dict[str, int] = outcome.result
    return found


def test_one_tick_starts_delivers_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    people_make(30)
    row = broadcast_make(scheduled_at=clock.now() - timedelta(minutes=1))
    with caplog.at_level(logging.INFO, "notifications.broadcast"):
        assert tick() == {"started": 1, "people": 30, "ended": 1}
    assert (adds_up(row.pk).status, Notification.objects.count()) == (Status.SENT, 30)
    assert f"broadcast {row.pk} completed status=sent total=30 sent=30 failed=0" in caplog.text


def test_it_starts_no_more_than_its_limit() -> None:
    for n in (3, 2, 1):
        broadcast_make(scheduled_at=clock.now() - timedelta(minutes=n))
    assert tick(limit=2)["started"] == 2
    assert Broadcast.objects.filter(status=Status.SCHEDULED).count() == 1
    assert tick(limit=2)["started"] == 1


def test_it_goes_on_with_one_that_somebody_else_began() -> None:
    people_make(3)
    row = broadcast_make()
    Broadcast.objects.filter(pk=row.pk).update(status="sending", phase="expanding")
    assert tick() == {"started": 0, "people": 3, "ended": 1}
    assert adds_up(row.pk).sent == 3


def test_a_broadcast_that_reaches_nobody_is_logged_as_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    row = broadcast_make(scheduled_at=clock.now() - timedelta(minutes=1))
    Broadcast.objects.filter(pk=row.pk).update(audience={"type": "gone"})
    tick()
    assert adds_up(row.pk).status == Status.FAILED
    assert f"broadcast {row.pk} failed" in caplog.text
