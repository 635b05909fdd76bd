"""What is forgotten: notices of long ago, and the people of old runs. Their numbers stay."""

from datetime import timedelta

import pytest

from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from subscriptions.models import Notice, Sweep, SweepItem
from tests.subscriptions.lifecycle.people import subscriber_make

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_old_notices_and_people_of_old_runs_are_forgotten() -> None:
    row, now = subscriber_make(1, DAY), clock.now()
    for stage, state, written, ends in (
        ("7d", "queued", 200, 195),
        ("3d", "due", 200, 195),  # nobody has decided it: it stays to be seen
        ("24h", "queued", 200, -20),  # its date is still ahead, and must not be told again
        ("6h", "queued", 3, 3),
    ):
        Notice.objects.create(
            subscriber=row,
            stage=stage,
            state=state,
            expire_at=now - ends * DAY,
            created_at=now - written * DAY,
        )
    for days in (200, 3):
        sweep = Sweep.objects.create(
            name="x", state="done", found=1, done=1, finished_at=now - days * DAY
        )
        SweepItem.objects.create(sweep=sweep, subscriber=row, expire_at=now, fate="done")
    outcome = job_perform("subscriptions.forget_notices")
    assert isinstance(outcome, Done)
    assert outcome.result == {"notices": 1, "items": 1}
    assert set(Notice.objects.values_list("stage", flat=True)) == {"3d", "24h", "6h"}
    assert Sweep.objects.count() == 2
    again = job_perform("subscriptions.forget_notices")
    assert isinstance(again, Done)
    assert again.result == {"notices": 0, "items": 0}
