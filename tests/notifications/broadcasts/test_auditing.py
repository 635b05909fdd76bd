"""The auditor: it proves the numbers, and puts right what a hand in the tables has broken."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.outcomes import Done
from jobs.testing import drain, job_perform
from lib import clock
from notifications.broadcasts.auditing import Audit, differences, ledgers_audit
from notifications.broadcasts.errors import BroadcastSettled
from notifications.broadcasts.models import Broadcast, LedgerRow, Status, Tally
from notifications.broadcasts.retention import ledgers_forget
from notifications.broadcasts.selectors import progress_of
from notifications.broadcasts.services import (
    broadcast_cancel,
    broadcast_pause,
    broadcast_recall,
    broadcast_resend_missing,
    broadcast_resume,
    broadcast_send_now,
)
from notifications.inbox.models import Notification
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, fates, people_make


def sent(**changes: Any) -> Broadcast:
    people_make(5)
    row = broadcast_make(**changes)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    return adds_up(row.pk)


def test_what_adds_up_is_left_alone() -> None:
    row = sent()
    assert ledgers_audit() == Audit(looked_at=1)
    assert adds_up(row.pk).updated_at == row.updated_at


@pytest.mark.parametrize("table", ["counters", "tally"])
def test_numbers_that_are_wrong_are_counted_anew_and_told(
    table: str, caplog: pytest.LogCaptureFixture
) -> None:
    row = sent()
    if table == "counters":
        Broadcast.objects.filter(pk=row.pk).update(sent=3)
    else:
        Tally.objects.update(count=4)
    assert ledgers_audit().repaired == 1
    assert adds_up(row.pk).sent == 5
    assert differences(row.pk) == []
    assert "did not add up" in caplog.text
    assert ledgers_audit().repaired == 0


def test_people_without_a_fate_in_a_broadcast_that_has_ended_get_it() -> None:
    row = sent()
    hole = LedgerRow.objects.order_by("id")[2]
    Notification.objects.filter(pk=str(hole.message_ref)).delete()
    LedgerRow.objects.filter(pk=hole.pk).update(fate="pending", message_ref=None)

    found = ledgers_audit()
    assert (found.repaired, found.requeued) == (1, 1)
    drain()

    row = adds_up(row.pk)
    assert (row.status, row.sent) == (Status.SENT, 5)
    assert Notification.objects.count() == 5


def test_a_message_whose_sender_is_gone_becomes_unknown_once_it_cannot_be_on_its_way() -> None:
    row = sent()
    LedgerRow.objects.filter(pk=LedgerRow.objects.order_by("id")[0].pk).update(
        fate="sending", at=clock.now()
    )
    assert ledgers_audit().lost == 0
    with clock.shift(timedelta(minutes=3)):
        assert ledgers_audit().lost == 1
    assert fates(row.pk)["inbox", "unknown", "sender_killed"] == 1


def test_a_broadcast_that_nobody_ended_is_ended() -> None:
    row = sent()
    Broadcast.objects.filter(pk=row.pk).update(
        status="sending", phase="delivering", finished_at=None
    )
    ledgers_audit()
    assert adds_up(row.pk).status == Status.SENT


def test_people_left_in_a_cancelled_broadcast_are_skipped() -> None:
    people_make(5)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    LedgerRow.objects.update(fate="pending")
    Broadcast.objects.update(status="paused")
    ledgers_audit()
    broadcast_cancel(broadcast_id=row.pk, by=None)
    drain()
    assert fates(row.pk) == {("inbox", "skipped", "cancelled"): 5}
    adds_up(row.pk)


def test_one_that_rests_is_not_counted_again_and_again() -> None:
    people_make(5)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    broadcast_pause(broadcast_id=row.pk, by=None)
    assert ledgers_audit().looked_at == 1
    with clock.shift(timedelta(hours=1)):
        assert ledgers_audit().looked_at == 0
        broadcast_resume(broadcast_id=row.pk, by=None)
        assert ledgers_audit().looked_at == 1


def test_the_job_tells_what_it_found() -> None:
    sent()
    outcome = job_perform("broadcasts.audit_ledgers")
    assert isinstance(outcome, Done)
    assert outcome.result["looked_at"] == 1


def test_an_old_ledger_goes_and_its_numbers_stay() -> None:
    old, people = sent(), LedgerRow.objects.count()
    with clock.shift(timedelta(days=91)):
        young = broadcast_make(title="Young")
        broadcast_send_now(broadcast_id=young.pk, by=None)
        drain()
        assert ledgers_forget(batch=2) == people
        assert ledgers_forget() == 0
        assert not LedgerRow.objects.filter(broadcast_id=old.pk).exists()
        assert LedgerRow.objects.filter(broadcast_id=young.pk).count() == people
        found = progress_of(old.pk)
        assert (found.sent, found.actions) == (people, ["clone"])
        with pytest.raises(BroadcastSettled, match="put away"):
            broadcast_resend_missing(broadcast_id=old.pk, by=None)
        with pytest.raises(BroadcastSettled, match="put away"):
            broadcast_recall(broadcast_id=old.pk, by=None)
        Broadcast.objects.update(updated_at=clock.now())
        assert ledgers_audit() == Audit(looked_at=1)
