"""Dialogs in which nobody writes are put away, in batches, and come back with a message."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs import registry
from jobs.testing import drain, job_perform
from lib import clock
from notifications.conversations import archive
from notifications.conversations.dialogs import participant_archive, participant_leave
from notifications.conversations.models import Dialog, Notice, Participant
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    after,
    counted,
    dialog,
    person,
    ring,
    say,
)

KIND = "conversations.archive_inactive"


def idle(*people: str, days: float = 8) -> Dialog:
    """A dialog whose last message is so old."""
    each = dialog(*people)
    say(each)
    Dialog.objects.filter(pk=each).update(active_at=clock.now() - timedelta(days=days))
    return Dialog.objects.get(pk=each)


def run() -> int:
    """Run the job. Returns how many dialogs it has put away."""
    outcome = job_perform(KIND)
    return int(outcome.result["archived"])  # type: ignore[union-attr]


def test_a_dialog_that_is_in_use_stays() -> None:
    idle(days=6.9)
    dialog()
    assert run() == 0


def test_the_sweep_repeated_finds_nothing(db: None) -> None:
    idle()
    assert (run(), run()) == (1, 0)
    assert counted()["archived"] == 1


def test_a_message_brings_the_dialog_back_and_its_time_begins_anew() -> None:
    row = idle()
    run()
    say(row.pk)
    row.refresh_from_db()
    assert (row.archived_at, person(row.pk, ANNA).is_archived) == (None, False)
    with after(days=6):
        assert run() == 0
    with after(days=8):
        assert run() == 1


def test_who_takes_it_out_keeps_it_out() -> None:
    row = idle()
    run()
    participant_archive(dialog_id=row.pk, user_id=BORIS, is_archived=False)
    assert run() == 0
    assert not person(row.pk).is_archived


def test_many_are_put_away_in_batches(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BATCH", 3)
    for _ in range(7):
        idle()
    dialog()
    assert run() == 7
    assert Participant.objects.filter(is_archived=False).count() == 2


def test_when_it_is_switched_off_nothing_is_put_away(settings: Settings) -> None:
    row = idle()
    settings.ARCHIVE_ENABLED = False
    assert run() == 0
    assert not person(row.pk).is_archived


def test_the_days_are_a_setting(settings: Settings) -> None:
    settings.ARCHIVE_AFTER = timedelta(days=30)
    idle(days=29)
    assert run() == 0


def test_the_sweep_runs_by_its_cron_with_seconds() -> None:
    periodic = registry.kind_get(KIND).periodic
    assert periodic is not None
    assert periodic.cron == "0 */5 * * * *"


def test_who_has_left_is_archived_with_the_others() -> None:
    row = idle(ANNA, BORIS, CLARA)
    participant_leave(dialog_id=row.pk, user_id=CLARA)
    run()
    assert person(row.pk, CLARA).is_archived


@pytest.mark.usefixtures("endpoint")
def test_old_notices_are_forgotten_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "BATCH", 2)
    for _ in range(5):
        say(dialog())
    assert ring() == 5
    with after(days=29):
        archive.notices_forget()
        assert Notice.objects.count() == 5
    with after(days=31):
        assert archive.notices_forget() == 5
    assert Notice.objects.count() == 0
    assert drain(queues=["maintenance"]) == 0
