"""Dialogs and participants over REST."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from notifications.conversations.models import Dialog, Participant
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    after,
    dialog,
    person,
    read,
    say,
)
from tests.notifications.inbox.api.server import Caller

NOBODY = "01900000-0000-7000-8000-000000000001"


def test_a_dialog_is_made_and_shown(api: Caller) -> None:
    made = api.ask("POST", "dialogs", {"participants": [42, "support-7"], "title": "Order 1"})
    assert made.status == 201
    assert [each["user_id"] for each in made.body["participants"]] == ["42", "support-7"]
    shown = api.get(f"dialogs/{made.body['id']}", user_id="42")
    assert shown.status == 200
    assert shown.body["participant"]["user_id"] == "42"
    assert {**shown.body, "participant": None} == made.body


def test_a_repeated_request_makes_no_second_dialog(api: Caller) -> None:
    body = {"participants": [ANNA]}
    first, again = (api.ask("POST", "dialogs", body, {"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status, first.content) == (again.status, again.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert Dialog.objects.count() == 1
    other = api.ask("POST", "dialogs", {"participants": [BORIS]}, {"Idempotency-Key": "k1"})
    assert (other.status, other.code) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "participants"),
        ({"participants": []}, "participants"),
        ({"participants": "anna"}, "participants"),
        ({"participants": [{"id": 1}]}, "participants.0"),
        ({"participants": ["x" * 65]}, "participants.0"),
        ({"participants": ["a"], "title": "x" * 201}, "title"),
        ({"participants": ["a"], "tilte": "x"}, "tilte"),
    ],
)
def test_what_does_not_fit_is_named(api: Caller, body: Any, field: str) -> None:
    refused = api.ask("POST", "dialogs", body)
    assert (refused.status, refused.code) == (422, "invalid")
    assert [each["field"] for each in refused.body["errors"]] == [field]


def test_a_dialog_that_is_too_large_is_refused(api: Caller) -> None:
    refused = api.ask("POST", "dialogs", {"participants": [str(n) for n in range(501)]})
    assert (refused.status, refused.code) == (409, "dialog_full")


def test_dialogs_come_by_their_latest_activity_with_the_place_of_the_person(api: Caller) -> None:
    ids = [dialog(title=str(n)) for n in range(3)]
    with after(seconds=5):
        say(ids[0], "Hello")
    found = api.get("dialogs", user_id=BORIS).body["items"]
    assert [each["title"] for each in found] == ["0", "2", "1"]
    assert found[0]["last_message"]["text"] == "Hello"
    assert found[0]["participant"]["unread_count"] == 1
    assert found[1]["last_message"] is None
    assert api.get("dialogs", user_id="nobody").body == {"items": [], "next_cursor": None}
    assert api.get("dialogs").body["items"][0]["participant"] is None


def test_pages_follow_each_other_without_gaps(api: Caller) -> None:
    ids = {str(dialog()) for _ in range(7)}
    Dialog.objects.update(active_at=Dialog.objects.order_by("pk").first().active_at)  # type: ignore[union-attr]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get("dialogs", user_id=ANNA, limit=3, cursor=cursor).body
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 7
    assert set(seen) == ids


def test_what_is_put_away_or_read_can_be_left_out(api: Caller) -> None:
    away, unread, done = dialog(title="away"), dialog(title="unread"), dialog(title="done")
    api.ask("POST", f"dialogs/{away}/archive", {"user_id": BORIS})
    say(unread)
    say(done)
    read(done)

    def titles(**query: Any) -> list[str]:
        items = api.get("dialogs", **query).body["items"]
        return sorted(each["title"] for each in items)

    assert titles(user_id=BORIS, archived="true") == ["away"]
    assert titles(user_id=BORIS, archived="false") == ["done", "unread"]
    assert titles(user_id=BORIS, unread="true") == ["unread"]
    assert titles(archived="true") == []
    assert titles(user_id=ANNA, archived="false") == ["away", "done", "unread"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"archived": "maybe"}, "archived"),
        ({"user_id": "x" * 65}, "user_id"),
    ],
)
def test_a_query_that_does_not_fit_is_refused(
    api: Caller, query: dict[str, str], field: str
) -> None:
    refused = api.get("dialogs", **query)
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, field)


def test_a_list_costs_the_same_however_long_it_is(
    api: Caller, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        say(dialog())
    # Two for the token and its permissions, three for the page.
    with django_assert_max_num_queries(7):
        assert len(api.get("dialogs", user_id=BORIS).body["items"]) == 12


def test_a_dialog_that_is_not_there_is_not_found(api: Caller) -> None:
    for path in ("", "/messages", "/participants"):
        reply = api.get(f"dialogs/{NOBODY}{path}")
        assert (reply.status, reply.code) == (404, "dialog_unknown")
    assert api.get("dialogs/not-an-id").status == 404


def test_people_join_leave_and_come_back(api: Caller) -> None:
    each = dialog()
    path = f"dialogs/{each}"
    added = api.ask("POST", f"{path}/participants", {"participants": [CLARA]})
    assert [one["user_id"] for one in added.body["items"]] == [CLARA]
    assert [api.ask("POST", f"{path}/leave", {"user_id": CLARA}).status for _ in "ab"] == [204] * 2
    listed = api.get(f"{path}/participants", limit=2).body
    assert [one["user_id"] for one in listed["items"]] == [CLARA, BORIS]
    assert listed["items"][0]["left_at"] is not None
    rest = api.get(f"{path}/participants", cursor=listed["next_cursor"]).body
    assert ([one["user_id"] for one in rest["items"]], rest["next_cursor"]) == ([ANNA], None)
    shown = api.get(path).body["participants"]
    assert [one["user_id"] for one in shown] == [ANNA, BORIS]
    refused = api.ask("POST", f"{path}/leave", {"user_id": "stranger"})
    assert (refused.status, refused.code) == (409, "not_a_participant")


def test_a_person_switches_notifications_off(api: Caller) -> None:
    each = dialog("a/b", BORIS)
    reply = api.ask("PATCH", f"dialogs/{each}/participants/a/b", {"notifications_enabled": False})
    assert (reply.status, reply.body["notifications_enabled"]) == (200, False)
    assert [person(each, who).notifications_enabled for who in ("a/b", BORIS)] == [False, True]
    refused = api.ask("PATCH", f"dialogs/{each}/participants/a/b", {})
    assert refused.body["errors"][0]["field"] == "notifications_enabled"


def test_a_person_puts_a_dialog_away_and_takes_it_out(api: Caller) -> None:
    each = dialog()
    for verb, expected in (("archive", True), ("archive", True), ("unarchive", False)):
        reply = api.ask("POST", f"dialogs/{each}/{verb}", {"user_id": BORIS})
        assert (reply.status, reply.body["is_archived"]) == (200, expected)
    assert Participant.objects.filter(is_archived=True).count() == 0
