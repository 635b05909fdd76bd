"""Acting on all messages that match, as a service."""

import pytest

from jobs.models import AuditEntry
from lib.errors import InputInvalid
from notifications.telegram.bulk import messages_bulk
from notifications.telegram.listing import MessageFilter
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.rows import claim, message_make


def test_a_dry_run_counts_and_changes_nothing() -> None:
    sending = message_make(1)
    claim()
    waiting, failed = message_make(500), message_make(600, status="failed")
    result = messages_bulk(where=MessageFilter(ids=(sending.pk, waiting.pk, failed.pk)),
                           action="cancel", by=None)  # fmt: skip
    assert (result.matched, result.done, result.dry_run) == (3, 0, True)
    assert result.states == {"sending": 1, "pending": 1, "failed": 1}
    assert result.sample == [failed.pk, waiting.pk, sending.pk]
    assert not AuditEntry.objects.exists()
    assert not QueuedMessage.objects.filter(status="cancelled").exists()


def test_the_newest_are_taken_when_more_match_than_one_call_takes() -> None:
    made = [message_make(n, status="failed").pk for n in range(1, 6)]
    result = messages_bulk(
        where=MessageFilter(state="failed"), action="retry", by=None, dry_run=False, limit=2
    )
    assert (result.matched, result.done, result.more) == (2, 2, True)
    waiting = QueuedMessage.objects.filter(status="pending").values_list("pk", flat=True)
    assert sorted(waiting) == made[3:]


def test_a_second_call_finds_nothing_to_do() -> None:
    message_make(status="failed")
    for done in (1, 0):
        result = messages_bulk(
            where=MessageFilter(state="failed"), action="retry", by=None, dry_run=False
        )
        assert (result.matched, result.done) == (done, done)


@pytest.mark.parametrize(
    ("where", "action"),
    [
        (MessageFilter(), "retry"),
        (MessageFilter(state="failed"), "delete"),
        (MessageFilter(state="lost"), "retry"),
    ],
)
def test_what_is_no_filter_and_no_act_is_refused(where: MessageFilter, action: str) -> None:
    row = message_make(status="failed")
    with pytest.raises(InputInvalid):
        messages_bulk(where=where, action=action, by=None, dry_run=False)
    row.refresh_from_db()
    assert row.status == "failed"
