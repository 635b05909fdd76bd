"""Acting on many: what would happen is seen first, happens once, and every refusal is told."""

from typing import Any

import pytest
from django.test import Client

from jobs.models import AuditEntry
from notifications.inbox import bulk
from notifications.inbox.models import Notification
from tests.notifications.inbox.admin.rows import (
    deferred_make,
    device_make,
    expired_make,
    fresh,
    note_make,
    person_make,
    push_make,
    read_make,
)
from tests.notifications.inbox.admin.ways import acts, press, said, text, to

pytestmark = pytest.mark.django_db


def look(client: Client, **query: Any) -> Any:
    """The dry run."""
    return client.get(to("act"), query)


def test_the_chosen_are_seen_first_and_then_recalled(alice: Client) -> None:
    rows, other = [note_make((n, "p")) for n in range(1, 4)], note_make()
    dry_run = look(alice, action="recall", id=[str(row.pk) for row in rows])
    assert "Recall 3 notifications?" in text(dry_run)
    assert {fresh(row).state for row in rows} == {"unread"}
    done = press(alice, dry_run, reason="wrong price")
    assert "3 notifications recalled" in text(done)
    assert {fresh(row).state for row in rows} == {"recalled"}
    assert fresh(other).state == "unread"
    assert acts() == [("alice", "inbox.bulk_recall", "matching")]
    kept = AuditEntry.objects.get().changes
    assert (kept["done"], kept["matched"], kept["reason"]) == (3, 3, "wrong price")


def test_one_that_is_chosen_leaves_one_line(alice: Client) -> None:
    row = note_make()
    press(alice, look(alice, action="recall", id=str(row.pk)))
    assert acts() == [("alice", "inbox.recall", str(row.pk))]


def test_all_that_match_are_meant_and_not_those_that_come_later(alice: Client) -> None:
    note_make(source="shop")
    wanted = [note_make(source="ads"), note_make((8, "bob"), source="ads")]
    dry_run = look(alice, action="recall", scope="matching", source="ads")
    assert "Recall 2 notifications?" in text(dry_run)
    late = note_make(source="ads")
    press(alice, dry_run)
    assert {fresh(row).state for row in wanted} == {"recalled"}
    assert fresh(late).state == "unread"
    assert AuditEntry.objects.get().changes["filter"]["source"] == "ads"


def test_a_person_who_is_not_known_means_nobody(alice: Client) -> None:
    note_make()
    dry_run = look(alice, action="recall", scope="matching", person="nobody")
    assert "No notification matches now." in text(dry_run)


def test_refusals_are_seen_before_and_told_after(alice: Client) -> None:
    rows = [note_make(), read_make(), expired_make(), deferred_make((9, "carol"))]
    push_make(rows[0], device_make(person_make()))
    dry_run = look(alice, action="expire", id=[str(row.pk) for row in rows])
    shown = text(dry_run)
    assert "1 can be expired as it is now." in shown
    assert "1 of the unread has reached a screen" in shown
    for word in ("read", "expired", "deferred"):
        assert f"1 is {word}: that would be refused" in shown
    done = text(press(alice, dry_run))
    assert "1 notification expired" in done
    assert "3 refused; these were left as they are." in done
    assert "it was read before" in done
    assert "it is not on any screen yet" in done
    assert [fresh(row).state for row in rows] == [
        "auto_cleared", "read", "auto_cleared", "deferred",
    ]  # fmt: skip


def test_deferred_ones_can_be_recalled(alice: Client) -> None:
    row = deferred_make()
    press(alice, look(alice, action="recall", scope="matching", state="deferred"))
    assert fresh(row).state == "recalled"


def test_a_page_that_was_used_does_nothing_again(alice: Client) -> None:
    first, second = note_make(), note_make()
    dry_run = look(alice, action="recall", id=[str(first.pk), str(second.pk)])
    press(alice, dry_run)
    answer = press(alice, dry_run)
    assert "Nothing was done" in said(answer)[0]
    assert acts() == [("alice", "inbox.bulk_recall", "matching")]


def test_a_page_that_nobody_looked_at_does_nothing(alice: Client) -> None:
    row = note_make()
    answer = alice.post(to("act"), {"action": "recall", "id": str(row.pk)}, follow=True)
    assert "Nothing was done" in said(answer)[0]
    assert fresh(row).state == "unread"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"action": "recall"}, "Tick at least one notification first."),
        ({"action": "shred", "id": "1"}, "Choose what to do first."),
        ({"action": "recall", "scope": "matching"}, "Filter the list first"),
        ({"action": "recall", "scope": "matching", "accepted_to": "x"}, "Accepted before (UTC):"),
        ({"action": "recall", "id": "x"}, "Tick at least one notification first."),
    ],
)
def test_what_is_missing_is_said(alice: Client, query: dict[str, str], words: str) -> None:
    note_make()
    answer = alice.get(to("act"), query, follow=True)
    assert words in said(answer)[0]
    assert Notification.objects.get().state == "unread"


def test_more_than_one_act_takes_is_said(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    for _ in range(3):
        note_make()
    dry_run = look(alice, action="recall", scope="matching", state="unread")
    assert "Recall 2+ notifications?" in text(dry_run)
    done = press(alice, dry_run)
    assert Notification.objects.filter(state="recalled").count() == 2
    assert "More matched than one act takes." in text(done)


def test_nobody_is_led_away_by_the_address_to_go_back_to(alice: Client) -> None:
    row = note_make()
    dry_run = look(alice, action="recall", id=str(row.pk), next="https://evil.example/")
    assert dry_run.context["origin"] == to()
    assert press(alice, dry_run).context["origin"] == to()


def test_the_page_of_what_was_done_without_a_deed_is_the_list(alice: Client) -> None:
    assert alice.get(to("act_done")).headers["Location"] == to()
