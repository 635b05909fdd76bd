"""Messages over REST: sent once, listed in pages, read; whatever becomes of Redis."""

import pytest

from notifications.conversations.models import Message
from tests.notifications.conversations.api.test_dialogs import NOBODY
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    dialog,
    dialogs_check,
    fates,
    person,
    ring,
    say,
    timers,
)
from tests.notifications.inbox.api.server import Caller

HELLO = {"sender_id": ANNA, "text": "Hello"}


def test_a_message_is_sent_and_begins_a_timer(api: Caller) -> None:
    each = dialog()
    sent = api.ask("POST", f"dialogs/{each}/messages", HELLO)
    assert sent.status == 201
    row = Message.objects.get()
    assert sent.body == {
        "id": str(row.pk),
        "dialog_id": str(each),
        "position": 1,
        "sender_id": ANNA,
        "text": "Hello",
        "sent_at": row.sent_at.isoformat().replace("+00:00", "Z"),
    }
    assert timers() == {BORIS: "Hello"}


def test_a_repeated_request_sends_no_second_message(api: Caller) -> None:
    path = f"dialogs/{dialog()}/messages"
    first, again = (api.ask("POST", path, HELLO, {"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.content, again.headers["idempotent-replayed"]) == (again.content, "true")
    assert Message.objects.count() == 1
    other = api.ask("POST", path, {**HELLO, "text": "Bye"}, {"Idempotency-Key": "k"})
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    elsewhere = api.ask("POST", f"dialogs/{dialog()}/messages", HELLO, {"Idempotency-Key": "k"})
    assert elsewhere.status == 201
    dialogs_check()


def test_who_was_refused_may_come_again_under_the_same_key(api: Caller) -> None:
    path, key = f"dialogs/{dialog()}/messages", {"Idempotency-Key": "k"}
    refused = api.ask("POST", path, {**HELLO, "sender_id": "stranger"}, key)
    assert (refused.status, refused.code) == (409, "not_a_participant")
    assert api.ask("POST", path, HELLO, key).status == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sender_id": ANNA}, "text"),
        ({"sender_id": ANNA, "text": "  "}, "text"),
        ({"sender_id": ANNA, "text": "x" * 10_001}, "text"),
        ({"text": "Hello"}, "sender_id"),
        ({**HELLO, "to": BORIS}, "to"),
    ],
)
def test_what_does_not_fit_is_named(api: Caller, body: object, field: str) -> None:
    refused = api.ask("POST", f"dialogs/{dialog()}/messages", body)
    assert (refused.status, refused.code) == (422, "invalid")
    assert refused.body["errors"][0]["field"] == field


def test_messages_are_listed_the_latest_first(api: Caller) -> None:
    each = dialog()
    for n in range(5):
        say(each, str(n))
    page = api.get(f"dialogs/{each}/messages", limit=3).body
    assert [one["text"] for one in page["items"]] == ["4", "3", "2"]
    rest = api.get(f"dialogs/{each}/messages", limit=3, cursor=page["next_cursor"]).body
    assert ([one["text"] for one in rest["items"]], rest["next_cursor"]) == (["1", "0"], None)
    assert api.get(f"dialogs/{each}/messages", cursor="x").status == 422


def test_reading_is_answered_with_what_is_left(api: Caller) -> None:
    each = dialog()
    first = say(each)
    say(each)
    path = f"dialogs/{each}/read"
    partly = api.ask("POST", path, {"user_id": BORIS, "message_id": str(first.pk)})
    assert partly.body == {
        "dialog_id": str(each),
        "user_id": BORIS,
        "last_read_position": 1,
        "unread_count": 1,
    }
    assert api.ask("POST", path, {"user_id": BORIS}).body["unread_count"] == 0
    unknown = api.ask("POST", path, {"user_id": BORIS, "message_id": NOBODY})
    assert (unknown.status, unknown.code) == (404, "message_unknown")
    stranger = api.ask("POST", path, {"user_id": "stranger"})
    assert (stranger.status, stranger.code) == (409, "not_a_participant")


@pytest.mark.usefixtures("redis_away", "endpoint")
def test_without_redis_the_message_is_stored_and_told_all_the_same(api: Caller) -> None:
    each = dialog()
    assert api.ask("POST", f"dialogs/{each}/messages", HELLO).status == 201
    assert person(each).unread == 1
    assert ring() == 1
    assert fates() == [(BORIS, "Hello", "sent")]
