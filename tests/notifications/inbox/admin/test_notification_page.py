"""The page of one notification: what happened, why it did not arrive, what the person sees."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from lib import clock
from notifications.inbox.fallback import unread_tell
from notifications.inbox.reading import read_many
from notifications.inbox.recall import notification_update
from tests.notifications.inbox.admin.rows import (
    deferred_make,
    device_make,
    expired_make,
    fresh,
    muted_make,
    note_make,
    person_make,
    push_make,
    read_make,
    recalled_make,
)
from tests.notifications.inbox.admin.ways import acts, changes, html, page_of, said, text, to

pytestmark = pytest.mark.django_db


def story_of(answer: Any) -> list[str]:
    """What the timeline says happened, in its order."""
    return [moment.what for moment in answer.context["moments"]]


def test_a_notification_tells_its_life(alice: Client) -> None:
    row, person = note_make(), person_make()
    push_make(row, device_make(person, "phone"), device_make(person, "laptop"))
    read_many([(row.recipient_id, row.pk)])
    answer = alice.get(page_of(row))
    assert story_of(answer) == ["accepted", "pushed", "acked"]
    shown = text(answer)
    assert "It arrived and was read." in shown
    assert "phone on pod pod-1" in shown
    assert "laptop on pod pod-1" in shown
    assert "Why not delivered" not in shown


def test_why_it_did_not_arrive_is_said_in_plain_words(alice: Client) -> None:
    for row, words in (
        (note_make(), "No screen of the person is open; it waits until"),
        (muted_make((8, "bob")), "The person has muted the source ads."),
        (deferred_make((9, "carol")), "The person has quiet hours until"),
        (expired_make((10, "dan")), "No screen was open before it expired"),
        (recalled_make((11, "eve")), "It was taken back before a screen was open."),
    ):
        shown = text(alice.get(page_of(row)))
        assert f"Why not delivered: {words}" in shown


def test_one_on_a_screen_says_that_it_was_not_read_yet(alice: Client) -> None:
    row = note_make()
    push_make(row, device_make(person_make()))
    shown = text(alice.get(page_of(row)))
    assert "It has reached 1 screen; the person has not read it yet." in shown
    assert "Connected on 1 device" in shown


def test_quiet_hours_are_told_on_the_clock_of_the_person(alice: Client) -> None:
    row = deferred_make(message="Later")
    person_make(time_zone="Asia/Kolkata")
    shown = text(alice.get(page_of(row)))
    assert "UTC+05:30 on the person's clock (Asia/Kolkata)" in shown


def test_what_was_told_by_telegram_has_a_link(alice: Client) -> None:
    person_make(telegram_id=500100201)
    row = note_make(fallback_after_s=1)
    with clock.shift(timedelta(seconds=5)):
        assert unread_tell() == 1
    answer = alice.get(page_of(row))
    assert story_of(answer) == ["accepted", "fallback"]
    query = "telegram_id=500100201&amp;notification_type=inbox_fallback"
    assert f'href="/admin/telegram/queuedmessage/?{query}"' in html(answer)
    (message,) = (
        alice.get(f"/admin/telegram/queuedmessage/?{query.replace('&amp;', '&')}")
        .context["page"]
        .messages
    )
    assert "Your order is ready" in message.beginning


def test_the_picture_is_what_the_screens_get(alice: Client) -> None:
    row = note_make(message="Line one\nline <two>", data={"link": "/orders/7"}, priority=0)
    shown = html(alice.get(page_of(row)))
    card = shown[shown.index("nt-screen") : shown.index("</article>")]
    assert "Line one\nline &lt;two&gt;" in card
    assert "/orders/7" in card
    assert "is-critical" in card
    frame = text(alice.get(page_of(row)))
    assert '"type": "notification.push"' in frame
    assert f'"stream_id": "{row.position}-0"' in frame


def test_what_is_off_the_screens_is_shown_so(alice: Client) -> None:
    assert "off the screens now" in text(alice.get(page_of(recalled_make())))


def test_the_request_that_sent_it_has_a_link(alice: Client) -> None:
    row = note_make(correlation_id="req 1/ä")
    twin = note_make((8, "bob"), correlation_id="req 1/ä")
    answer = alice.get(page_of(row))
    query = f"correlation_id=req%201%2F%C3%A4&amp;{answer.context['around'].replace('&', '&amp;')}"
    assert f'href="{to()}?{query}"' in html(answer)
    found = alice.get(f"{to()}?{query.replace('&amp;', '&')}").context["page"].notifications
    assert [one.pk for one in found] == [twin.pk, row.pk]
    assert "/admin/jobs/jobrecord/?correlation_id=req%201%2F%C3%A4" in html(answer)


def test_what_else_came_lately_is_there(alice: Client) -> None:
    row, other, stranger = note_make(), note_make(message="Another"), note_make((8, "bob"))
    answer = alice.get(page_of(row))
    assert [one.pk for one in answer.context["others"]] == [other.pk]
    assert page_of(stranger) not in html(answer)


def test_a_notification_is_recalled_once(alice: Client) -> None:
    row = note_make()
    answer = alice.post(page_of(row, "recall"), {"next": page_of(row)}, follow=True)
    assert said(answer) == ["It is recalled; no screen had it yet."]
    assert fresh(row).state == "recalled"
    assert "alice recalled it" in text(answer)
    alice.post(page_of(row, "recall"))
    assert acts() == [("alice", "inbox.recall", str(row.pk))]


def test_a_recall_says_how_many_screens_had_it(alice: Client) -> None:
    row, person = note_make(), person_make()
    push_make(row, device_make(person), device_make(person, "laptop"))
    answer = alice.post(page_of(row, "recall"), follow=True)
    assert said(answer) == ["It is recalled; 2 screens had it."]


def test_a_notification_is_expired(alice: Client) -> None:
    row = note_make()
    answer = alice.post(page_of(row, "expire"), {"next": page_of(row)}, follow=True)
    assert said(answer) == ["It has expired, as if its time had run out."]
    assert fresh(row).state == "auto_cleared"
    assert acts() == [("alice", "inbox.expire", str(row.pk))]
    again = alice.post(page_of(row, "expire"), {"next": page_of(row)}, follow=True)
    assert said(again) == ["Refused: only what is unread can expire."]
    assert len(acts()) == 1


def test_what_is_settled_is_refused_in_words_and_has_no_buttons(alice: Client) -> None:
    row = read_make()
    answer = alice.post(page_of(row, "recall"), {"next": page_of(row)}, follow=True)
    assert said(answer) == [f"Refused: notification {row.pk}: it was read already."]
    for name in ("recall", "expire", "edit"):
        assert page_of(row, name) not in html(answer)
    assert acts() == []


def test_the_text_of_a_notification_is_edited(alice: Client) -> None:
    row = note_make(message="Your odrer", data={"a": 1})
    form = alice.get(page_of(row, "edit"))
    assert "Your odrer" in html(form)
    assert "No screen has it yet" in text(form)
    data = {"message": "Your order\r\nis here", "extra": '{"a": 2}'}
    answer = alice.post(page_of(row, "edit"), data, follow=True)
    assert answer.redirect_chain == [(page_of(row), 302)]
    assert said(answer) == ["Changed; this is edition 2."]
    assert "edition 2" in text(answer)
    after = fresh(row)
    assert (after.message, after.data, after.edition) == ("Your order\nis here", {"a": 2}, 2)
    assert acts() == [("alice", "inbox.update", str(row.pk))]
    assert changes()["edition"] == 2


def test_data_is_taken_away_by_an_edit_that_leaves_it_empty(alice: Client) -> None:
    row = note_make(data={"a": 1})
    alice.post(page_of(row, "edit"), {"message": "Same", "extra": ""})
    assert fresh(row).data is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"message": ""}, "This field is required."),
        ({"message": "x" * 4001}, "at most 4000 characters"),
        ({"message": "a\x00b"}, "Null characters are not allowed."),
        ({"message": "x", "extra": "[1]"}, "This must be a JSON object"),
        ({"message": "x", "extra": '{"a": "' + "y" * 4100 + '"}'}, "4096 are the limit"),
    ],
)
def test_an_edit_that_cannot_be_is_said(alice: Client, given: dict[str, str], words: str) -> None:
    row = note_make()
    answer = alice.post(page_of(row, "edit"), given)
    assert answer.status_code == 422
    assert words in text(answer)
    assert fresh(row).edition == 1
    assert acts() == []


def test_an_edit_of_what_was_read_meanwhile_is_refused(alice: Client) -> None:
    row = note_make()
    read_many([(row.recipient_id, row.pk)])
    answer = alice.post(page_of(row, "edit"), {"message": "Too late"})
    assert answer.status_code == 422
    assert "it was read already" in text(answer)
    assert "It is read; there is nothing to change on a screen any more." in text(answer)


def test_the_open_page_learns_that_it_has_moved_on(alice: Client) -> None:
    row = note_make()
    seen = alice.get(page_of(row)).context["seen"]
    live = alice.get(page_of(row, "live"), {"seen": seen})
    assert "HX-Refresh" not in live.headers
    assert "What happened" in live.content.decode()
    notification_update(notification_id=row.pk, message="New", by=None)
    assert alice.get(page_of(row, "live"), {"seen": seen}).headers["HX-Refresh"] == "true"


def test_the_page_costs_as_many_queries_with_many_rows_as_with_few(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    row, person = note_make(), person_make()
    note_make()
    few = queries(alice, page_of(row))
    for n in range(20):
        note_make(message=f"n {n}")
        push_make(row, device_make(person, f"d {n}"))
    assert queries(alice, page_of(row)) == few <= 14
