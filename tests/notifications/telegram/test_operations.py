"""Retry and cancel: happy, refused, repeated; each leaves its line in the audit log."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from jobs.models import AuditEntry
from lib.errors import NotFound
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import (
    MessageNotFailed,
    MessageNotWaiting,
    message_cancel,
    message_retry,
)
from tests.notifications.telegram.rows import (
    ago,
    claim,
    claim_ids,
    fresh,
    message_make,
    send,
)

Account = Callable[..., User]


def test_a_failed_message_is_tried_again_with_all_its_tries(account: Account) -> None:
    row = message_make(attempts=4)
    send(row, "failed", error="HTTP 500", reason="unavailable")
    message_retry(message_id=row.pk, by=account("ann"))
    row = fresh(row)
    assert (row.status, row.attempts, row.reason, row.failed_at) == ("pending", 0, None, None)
    assert row.tries[-1]["error"] == "HTTP 500"  # its story is kept
    entry = AuditEntry.objects.get()
    assert (entry.account_name, entry.action) == ("ann", "telegram.retry")
    assert entry.object_id == str(row.pk)


def test_a_retried_message_is_due_at_once() -> None:
    row = message_make(status="failed", scheduled_at=ago(60), next_attempt_at=ago(-3600))
    message_retry(message_id=row.pk, by=None)
    assert claim_ids() == [row.pk]


def test_a_cancelled_message_can_be_brought_back() -> None:
    row = message_make()
    message_cancel(message_id=row.pk, by=None)
    message_retry(message_id=row.pk, by=None)
    assert claim_ids() == [row.pk]


def test_a_duplicate_that_a_person_wants_is_no_duplicate_any_more() -> None:
    row = message_make(status="cancelled", reason="duplicate", dedup_key="invoice:1")
    other = message_make(status="cancelled", reason="cancelled", dedup_key="invoice:2")
    for each in (row, other):
        message_retry(message_id=each.pk, by=None)
    assert fresh(row).dedup_key is None
    assert fresh(other).dedup_key == "invoice:2"


@pytest.mark.parametrize("status", ["pending", "sent"])
def test_only_what_is_over_unsent_can_be_tried_again(status: str) -> None:
    row = message_make(status=status)
    with pytest.raises(MessageNotFailed, match=status):
        message_retry(message_id=row.pk, by=None)
    assert not AuditEntry.objects.exists()


def test_a_retry_is_done_once() -> None:
    row = message_make(status="failed")
    message_retry(message_id=row.pk, by=None)
    with pytest.raises(MessageNotFailed):
        message_retry(message_id=row.pk, by=None)
    assert AuditEntry.objects.count() == 1


def test_a_waiting_message_is_cancelled_and_never_sent(account: Account) -> None:
    row = message_make()
    message_cancel(message_id=row.pk, by=account("ann"))
    assert (fresh(row).status, fresh(row).reason) == ("cancelled", "cancelled")
    assert claim() == []
    assert AuditEntry.objects.get().action == "telegram.cancel"


def test_a_cancelled_message_holds_nobody_behind_it() -> None:
    first, second = message_make(), message_make()
    message_cancel(message_id=first.pk, by=None)
    assert claim_ids() == [second.pk]


def test_what_is_being_sent_cannot_be_cancelled() -> None:
    row = message_make()
    claim()
    with pytest.raises(MessageNotWaiting, match="being sent"):
        message_cancel(message_id=row.pk, by=None)
    assert fresh(row).status == "pending"


@pytest.mark.parametrize("status", ["sent", "failed", "cancelled"])
def test_what_is_over_cannot_be_cancelled(status: str) -> None:
    row = message_make(status=status)
    with pytest.raises(MessageNotWaiting, match=status):
        message_cancel(message_id=row.pk, by=None)
    assert fresh(row).status == status


@pytest.mark.parametrize("act", [message_retry, message_cancel])
def test_a_message_that_is_not_there_is_not_found(act: Callable[..., None]) -> None:
    with pytest.raises(NotFound):
        act(message_id=404, by=None)
    assert not QueuedMessage.objects.exists()
