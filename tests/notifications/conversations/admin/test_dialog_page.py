"""The page of a dialog: what became of each message for each person, and what an operator may do."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import AuditEntry
from notifications.conversations import dialogs
from notifications.conversations.models import Dialog
from notifications.conversations.selectors import story as stories
from notifications.webhooks.models import Delivery
from tests.notifications.conversations.admin.ways import notices, said, text, to
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    after,
    dialog,
    person,
    read,
    ring,
    say,
)

pytestmark = pytest.mark.usefixtures("endpoint")
DORA = "dora"


def outcomes(each: UUID) -> list[dict[str, str]]:
    """{person: what became of it} of each message, the latest first."""
    story = stories.dialog_story(Dialog.objects.get(pk=each))
    return [{one.user_id: one.name for one in told.outcomes} for told in story.told]


def test_the_story_tells_what_became_of_each_message_and_why(alice: Client) -> None:
    each = dialog(ANNA, BORIS, CLARA, DORA)
    say(each, "one")
    with after(seconds=5):
        say(each, "two")
        read(each, CLARA)
        dialogs.participant_notify(dialog_id=each, user_id=DORA, is_enabled=False)
    ring(seconds=40)
    with after(seconds=50):
        say(each, "three", by=BORIS)

    assert outcomes(each) == [
        {ANNA: "waits", CLARA: "waits", DORA: "waits"},
        {BORIS: "sent", CLARA: "read", DORA: "disabled"},
        {BORIS: "folded", CLARA: "folded", DORA: "folded"},
    ]
    page = text(alice.get(to("change", each)))
    assert "told boris" in page
    assert "1 pending" in page
    assert "had read clara the message was read before its timer rang" in page
    assert "switched off dora" in page
    assert "into #2" in page
    Delivery.objects.update(state="delivered", finished_at="2026-11-22T00:00:00Z")
    answer = alice.get(to("change", each))
    assert "1 delivered" in text(answer)
    deliveries = reverse("admin:webhooks_delivery_changelist")
    assert f'href="{deliveries}?event={Delivery.objects.get().event_id}"' in answer.content.decode()


def test_messages_that_wait_for_one_timer_are_folded_into_the_last(alice: Client) -> None:
    each = dialog()
    say(each, "one")
    say(each, "two")
    assert outcomes(each) == [{BORIS: "waits"}, {BORIS: "folded"}]
    page = text(alice.get(to("change", each)))
    found = re.search(r"waits boris rings in (\d+) s", page)
    assert found
    assert 0 < int(found[1]) <= 30
    assert "into #2" in page


def test_who_came_later_is_not_named() -> None:
    each = dialog()
    say(each, "one")
    with after(seconds=1):
        dialogs.participants_add(dialog_id=each, user_ids=[CLARA])
    assert outcomes(each) == [{BORIS: "waits"}]


def test_what_is_kept_no_more_is_said() -> None:
    each = dialog()
    say(each, "one")
    read(each)
    assert outcomes(each) == [{BORIS: "unknown"}]


def test_a_dialog_without_messages_says_how_they_come(alice: Client) -> None:
    assert "Nothing was said yet" in text(alice.get(to("change", dialog())))


def test_older_messages_are_a_page_away(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "PAGE", 2)
    each = dialog()
    for n in range(3):
        say(each, f"text {n}")
    first = alice.get(to("change", each))
    assert "text 0" not in text(first)
    older = alice.get(to("change", each, before=first.context["story"].before))
    assert "text 0" in text(older)
    assert "To the latest" in text(older)


def test_the_live_part_shows_what_is_new(alice: Client) -> None:
    each = dialog()
    say(each, "fresh")
    answer = alice.get(to("live", each, here=to("change", each)))
    assert "fresh" in answer.content.decode()
    assert f'value="{to("change", each)}"' in answer.content.decode()


def test_what_people_write_is_shown_as_text(alice: Client) -> None:
    each = dialog("<b>anna</b>", BORIS, title="<script>alert(1)</script>")
    say(each, "<img src=x onerror=alert(1)>", by="<b>anna</b>")
    for address in (to(), to("change", each), notices()):
        page = alice.get(address).content.decode()
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
        assert "<b>anna" not in page


def test_an_operator_puts_a_dialog_away_and_brings_it_back(alice: Client) -> None:
    each = dialog()
    answer = alice.post(to("archive", each), {"next": to("change", each)}, follow=True)
    assert said(answer) == ["The dialog is put away for all; the next message brings it back."]
    assert person(each).is_archived
    assert "alice put away it" in text(answer)
    answer = alice.post(to("unarchive", each), {"next": to("change", each)}, follow=True)
    assert not person(each).is_archived
    assert [entry.account_name for entry in AuditEntry.objects.all()] == ["alice"] * 2


def test_an_operator_switches_notifications_of_a_person(alice: Client) -> None:
    each = dialog()
    answer = alice.post(to("mute", each), {"user_id": BORIS, "next": to()}, follow=True)
    assert said(answer) == ["Notifications of this dialog are off for boris."]
    assert not person(each).notifications_enabled
    alice.post(to("unmute", each), {"user_id": BORIS})
    assert person(each).notifications_enabled
    answer = alice.post(to("mute", each), {"user_id": "stranger", "next": to()}, follow=True)
    assert said(answer)[-1] == "Refused: stranger does not take part in this dialog."


def test_a_dialog_that_is_not_there_is_said_as_404(alice: Client) -> None:
    nobody = UUID("01900000-0000-7000-8000-000000000001")
    assert alice.get(to("change", nobody)).status_code == 404
    assert alice.get(to("live", nobody)).status_code == 404


def test_the_page_costs_the_same_however_much_was_said(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    each = dialog(ANNA, BORIS, CLARA)
    say(each)
    ring()
    say(each)
    few = queries(alice, to("change", each))
    for n in range(2, 12):
        with after(minutes=n):
            say(each)
            ring(seconds=31)
    say(each)
    assert queries(alice, to("change", each)) == few
