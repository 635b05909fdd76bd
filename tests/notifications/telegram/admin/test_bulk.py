"""Acting on many: what would happen is seen first, happens once, and every refusal is told."""

from typing import Any

import pytest
from django.test import Client

from jobs.models import AuditEntry
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.admin.ways import acts, said, text, to
from tests.notifications.telegram.rows import claim, fresh, message_make

pytestmark = pytest.mark.django_db


def failed(count: int = 3, **fields: Any) -> list[QueuedMessage]:
    return [
        message_make(100 + n, **{"status": "failed", "reason": "blocked", **fields})
        for n in range(count)
    ]


def look(client: Client, **query: Any) -> Any:
    """The dry run."""
    return client.get(to("act"), query)


def press(client: Client, dry_run: Any) -> Any:
    """Send the form that the dry run shows."""
    data: dict[str, Any] = {}
    for name, value in dry_run.context["hidden"]:
        data.setdefault(name, []).append(value)
    return client.post(to("act"), data, follow=True)


def test_the_chosen_are_seen_first_and_then_retried(alice: Client) -> None:
    rows, other = failed(), failed(1)[0]
    chosen = [row.pk for row in rows]
    dry_run = look(alice, action="retry", id=chosen)
    assert "Retry 3 messages?" in text(dry_run)
    assert {fresh(row).status for row in rows} == {"failed"}
    done = press(alice, dry_run)
    assert "3 messages put back into the queue" in text(done)
    assert {fresh(row).status for row in rows} == {"pending"}
    assert fresh(other).status == "failed"
    assert acts() == [
        *(("alice", "telegram.retry", str(pk)) for pk in chosen),
        ("alice", "telegram.bulk_retry", "matching"),
    ]


def test_all_that_match_are_meant_and_not_those_that_come_later(alice: Client) -> None:
    failed(3)
    failed(2, reason="unavailable")
    query = {"action": "retry", "scope": "matching", "state": "failed", "reason": "unavailable"}
    dry_run = look(alice, **query)
    late = failed(1, reason="unavailable")[0]
    assert "Retry 2 messages?" in text(dry_run)
    press(alice, dry_run)
    assert QueuedMessage.objects.filter(status="pending").count() == 2
    assert fresh(late).status == "failed"
    changes = AuditEntry.objects.get(action="telegram.bulk_retry").changes
    assert changes["done"] == 2
    assert changes["filter"]["reason"] == "unavailable"


def test_waiting_messages_are_cancelled_and_refusals_are_told(alice: Client) -> None:
    sending = message_make(1)
    claim()
    waiting, sent = message_make(2), message_make(3, status="sent")
    ids = [row.pk for row in (sending, waiting, sent)]
    dry_run = look(alice, action="cancel", id=ids)
    shown = text(dry_run)
    assert "1 can be cancelled as they are now." in shown
    assert "1 is being sent just now" in shown
    assert "1 is sent" in shown
    done = press(alice, dry_run)
    assert "1 message cancelled" in text(done)
    assert "2 refused" in text(done)
    assert "it is being sent just now" in text(done)
    assert "it is sent" in text(done)
    assert [fresh(row).status for row in (sending, waiting, sent)] == [
        "pending", "cancelled", "sent",
    ]  # fmt: skip


def test_without_a_dry_run_nothing_is_done(alice: Client) -> None:
    rows = failed(1)
    answer = alice.post(to("act"), {"action": "retry", "id": str(rows[0].pk)}, follow=True)
    assert "Nothing was done" in said(answer)[0]
    assert fresh(rows[0]).status == "failed"


def test_a_page_that_was_used_does_nothing_again(alice: Client) -> None:
    rows = failed(1)
    dry_run = look(alice, action="retry", id=[row.pk for row in rows])
    press(alice, dry_run)
    QueuedMessage.objects.update(status="failed")
    answer = press(alice, dry_run)
    assert "Nothing was done" in said(answer)[0]
    assert fresh(rows[0]).status == "failed"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"action": "retry"}, "Tick at least one message first."),
        ({"action": "shred", "id": "1"}, "Choose what to do first."),
        ({"action": "retry", "scope": "matching"}, "Filter the list first"),
        ({"action": "retry", "scope": "matching", "telegram_id": "x"}, "Chat: The id of a chat"),
        ({"action": "retry", "id": "x"}, "Tick at least one message first."),
    ],
)
def test_what_is_missing_is_said(alice: Client, query: dict[str, str], words: str) -> None:
    failed(1)
    answer = alice.get(to("act"), query, follow=True)
    assert words in said(answer)[0]
    assert QueuedMessage.objects.get().status == "failed"


def test_a_filter_that_matches_nothing_has_nothing_to_press(alice: Client) -> None:
    answer = alice.get(to("act"), {"action": "retry", "scope": "matching", "state": "failed"})
    assert "No message matches now." in text(answer)


def test_more_than_one_act_takes_is_said(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from notifications.telegram import bulk

    monkeypatch.setattr(bulk, "MOST", 2)
    failed(3)
    query = {"action": "retry", "scope": "matching", "state": "failed"}
    dry_run = look(alice, **query)
    assert "Retry 2+ messages?" in text(dry_run)
    done = press(alice, dry_run)
    assert QueuedMessage.objects.filter(status="pending").count() == 2
    assert "More matched than one act takes." in text(done)
