"""A worker that dies between any two steps of a cut: who takes over finishes it, once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from jobs.models import AuditEntry
from jobs.testing import drain, job_perform
from notifications.telegram.models import QueuedMessage
from subscriptions.lifecycle import cutting
from subscriptions.models import CutBy, Notice, Sweep, SweepItem
from tests.subscriptions.lifecycle.people import People

HOUR = timedelta(hours=1)


class Killed(BaseException):
    """The process is gone: nothing catches this, and nothing runs after it."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Die at a fault point, once."""

    def arm(point: str) -> None:
        def strike(name: str) -> None:
            if name == point:
                monkeypatch.undo()
                raise Killed

        monkeypatch.setattr(cutting, "fault", strike)

    return arm


@pytest.mark.parametrize("point", ["sweep.intended", "sweep.disabled"])
def test_a_cut_that_was_interrupted_is_finished_once(
    people: People, kill_at: Callable[[str], None], point: str
) -> None:
    row = people.make(-HOUR)
    job_perform("subscriptions.disable_expired")
    job_perform("subscriptions.run_sweep", sweep_id=Sweep.objects.get().pk)
    item = SweepItem.objects.get()
    kill_at(point)
    with pytest.raises(Killed):
        job_perform("subscriptions.cut_subscriber", item_id=item.pk)
    row.refresh_from_db()
    assert row.cut_by == CutBy.SWEEP  # the intent stood before the panel was told
    job_perform("subscriptions.cut_subscriber", item_id=item.pk)
    job_perform("subscriptions.cut_subscriber", item_id=item.pk)
    drain(queues=["notifications"])
    item.refresh_from_db()
    assert (item.fate, item.reason) == ("done", "cut")
    assert people.status(row) == "DISABLED"
    assert len(people.panel.writes()) == 1
    assert AuditEntry.objects.filter(action="subscriptions.disable_expired").count() == 1
    assert Notice.objects.count() == QueuedMessage.objects.count() == 1
    assert Sweep.objects.get().state == "done"


def test_who_paid_while_the_cut_lay_dead_stays_as_the_activation_left_him(
    people: People, kill_at: Callable[[str], None]
) -> None:
    """The intent stood, the worker died, and the activation came first: nothing of ours may follow."""
    row = people.make(-HOUR)
    job_perform("subscriptions.disable_expired")
    job_perform("subscriptions.run_sweep", sweep_id=Sweep.objects.get().pk)
    item = SweepItem.objects.get()
    kill_at("sweep.intended")
    with pytest.raises(Killed):
        job_perform("subscriptions.cut_subscriber", item_id=item.pk)
    people.panel.change(row.panel_id or 0, expireAt="2099-01-01T00:00:00Z", status="ACTIVE")
    job_perform("subscriptions.cut_subscriber", item_id=item.pk)
    item.refresh_from_db()
    row.refresh_from_db()
    assert (item.fate, item.reason) == ("skipped", "moved")
    assert (people.status(row), row.status, row.cut_by) == ("ACTIVE", "ACTIVE", "")
    assert people.panel.writes() == []
