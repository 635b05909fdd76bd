"""A broadcast to inboxes, from the draft to the last of its people."""

import pytest

from jobs.testing import drain
from notifications.broadcasts.models import LedgerRow, Status
from notifications.broadcasts.services import broadcast_send_now
from notifications.inbox.models import Notification
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, fates, people_make


def test_everybody_gets_it_once_and_the_numbers_are_exact(caplog: pytest.LogCaptureFixture) -> None:
    people_make(25)
    people_make(2, first=100, muted_sources=["broadcast"])
    row = broadcast_make()

    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()

    row = adds_up(row.pk)
    assert (row.status, row.total, row.sent, row.skipped) == (Status.SENT, 27, 25, 2)
    assert fates(row.pk) == {("inbox", "sent", ""): 25, ("inbox", "skipped", "muted"): 2}
    told = Notification.objects.filter(source="broadcast")
    assert {each.message for each in told} == {"Feature launch\n\nWe are live!"}
    assert told.count() == 25
    refs = LedgerRow.objects.filter(fate="sent").values_list("message_ref", flat=True)
    assert {str(each.pk) for each in told} == set(refs)
