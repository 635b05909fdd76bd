"""The admin lists over REST: the JSON of the source, page by page, at a known cost."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from notifications.inbox.models import Notification
from tests.notifications.inbox.api.rows import (
    BASE,
    client_make,
    notification_make,
    recipient_make,
)
from tests.notifications.inbox.api.server import Caller

QUERIES = 8  # authentication, permission, the page and its sums


def wire(moment: Any) -> Any:
    return moment and moment.isoformat().replace("+00:00", "Z")


def entry(row: Notification, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{row.position}-0",
        "payload": {
            "notification_id": str(row.pk),
            "message": row.message,
            "created_at": wire(row.created_at),
            "source": row.source,
        },
        "read": False,
        "status": row.state,
        "expires_at": wire(row.expires_at),
        "read_at": wire(row.read_at),
        "priority": 2,
        "edition": 1,
        "data": None,
    } | changes


def test_pending_has_the_form_of_the_source(api: Caller) -> None:
    row = notification_make(
        recipient=recipient_make(unread=1), message="Привет Alice", source="chat-api"
    )
    assert api.get("admin/pending").body == {
        "pending_notifications": {"1-alice": [entry(row)]},
        "total_pending": 1,
        "users_with_pending": 1,
        "next_cursor": None,
    }


def test_pending_of_nobody_is_empty(api: Caller) -> None:
    assert api.get("admin/pending").body == {
        "pending_notifications": {},
        "total_pending": 0,
        "users_with_pending": 0,
        "next_cursor": None,
    }


def test_pages_of_pending_skip_and_repeat_nothing(api: Caller) -> None:
    made = []
    for user_id in range(1, 4):
        recipient = recipient_make(user_id, f"user-{user_id}", unread=3)
        made += [notification_make(BASE + n, recipient=recipient).pk for n in range(3)]

    found: list[str] = []
    cursor: Any = ""
    while cursor is not None:
        body = api.get("admin/pending", limit=2, cursor=cursor).body
        assert (body["total_pending"], body["users_with_pending"]) == (9, 3)
        for entries in body["pending_notifications"].values():
            found += [each["payload"]["notification_id"] for each in entries]
        cursor = body["next_cursor"]

    assert found == [str(pk) for pk in made]


def test_history_is_the_last_hundred_oldest_first_and_goes_on_to_older_ones(api: Caller) -> None:
    rows = [notification_make(BASE + n, state="read") for n in range(105)]

    last = api.get("admin/history", user_id=1, login="alice").body
    assert (last["user_id"], last["login"], last["count"]) == (1, "alice", 100)
    assert last["history"] == [entry(row, read=True) for row in rows[5:]]

    older = api.get("admin/history", user_id=1, login="alice", cursor=last["next_cursor"]).body
    assert [each["id"] for each in older["history"]] == [f"{BASE + n}-0" for n in range(5)]
    assert older["next_cursor"] is None


def test_history_tells_read_from_unread_and_shows_data(api: Caller) -> None:
    notification_make(BASE, state="auto_cleared")
    notification_make(BASE + 1, state="read", read_at="2026-01-01T00:00:00Z")
    notification_make(BASE + 2, data={"order": 7})
    notification_make(BASE + 3, state="recalled")

    found = api.get("admin/history", user_id=1, login="alice").body["history"]

    assert [(each["status"], each["read"]) for each in found] == [
        ("auto_cleared", False), ("read", True), ("unread", False), ("recalled", False),
    ]  # fmt: skip
    assert found[1]["read_at"] == "2026-01-01T00:00:00Z"
    assert found[2]["data"] == {"order": 7}


def test_somebody_who_was_told_nothing_has_an_empty_history(api: Caller) -> None:
    body = api.get("admin/history", user_id=9, login="nobody").body
    assert (body["history"], body["count"], body["next_cursor"]) == ([], 0, None)


def test_clients_and_users_show_who_is_connected(api: Caller) -> None:
    alice = recipient_make(unread=2)
    phone = client_make(alice, device="phone", address="192.0.2.7", user_agent="Firefox")
    laptop = client_make(alice, device="laptop", pod_id="pod-2")
    clients, users = api.get("admin/clients").body, api.get("admin/users").body

    assert (clients["total_clients"], users["total_users"]) == (2, 1)
    assert {each["client_id"] for each in clients["clients"]} == {str(phone.pk), str(laptop.pk)}
    (shown,) = [each for each in clients["clients"] if each["device"] == "phone"]
    assert shown == {
        "client_id": str(phone.pk),
        "user_id": 1,
        "login": "alice",
        "device": "phone",
        "pod_id": "pod-1",
        "address": "192.0.2.7",
        "user_agent": "Firefox",
        "connected_at": wire(phone.connected_at),
        "seen_at": wire(phone.seen_at),
    }
    assert users["users"] == [
        {
            "user_id": 1,
            "login": "alice",
            "connections": 2,
            "devices": ["laptop", "phone"],
            "pods": ["pod-1", "pod-2"],
            "connected_at": wire(phone.connected_at),
            "unread": 2,
        }
    ]


@pytest.mark.parametrize("name", ["clients", "users"])
def test_connected_ones_come_page_by_page(api: Caller, name: str) -> None:
    for n in range(1, 6):
        client_make(recipient_make(n, f"user-{n}"))
    found: list[str] = []
    cursor: Any = ""
    while cursor is not None:
        body = api.get(f"admin/{name}", limit=2, cursor=cursor).body
        found += [each["login"] for each in body[name]]
        cursor = body["next_cursor"]
    assert sorted(found) == [f"user-{n}" for n in range(1, 6)]


@pytest.mark.parametrize("name", ["clients", "users", "pending", "history"])
def test_the_cost_of_a_list_does_not_grow_with_it(
    api: Caller, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(1, 31):
        recipient = recipient_make(n, f"user-{n}", unread=1)
        notification_make(BASE + n, recipient=recipient)
        client_make(recipient)
    query = {"user_id": 1, "login": "user-1"} if name == "history" else {}
    with django_assert_max_num_queries(QUERIES):
        assert api.get(f"admin/{name}", **query).status == 200


@pytest.mark.parametrize("name", ["clients", "users", "pending", "history"])
@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "1001"}, {"limit": "ten"}, {"cursor": "nonsense!"}],
    ids=str,
)
def test_a_page_that_cannot_be_is_refused(api: Caller, name: str, query: dict[str, str]) -> None:
    person = {"user_id": "1", "login": "alice"} if name == "history" else {}
    reply = api.get(f"admin/{name}", **person, **query)
    assert (reply.status, reply.code) == (422, "invalid")
    assert [error["field"] for error in reply.body["errors"]] == list(query)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "user_id"),
        ({"user_id": "x", "login": "alice"}, "user_id"),
        ({"user_id": str(2**63), "login": "alice"}, "user_id"),
        ({"user_id": "1"}, "login"),
        ({"user_id": "1", "login": "x" * 151}, "login"),
        ({"user_id": "1", "login": "a\nb"}, "login"),
    ],
)
def test_history_needs_a_person(api: Caller, query: dict[str, str], field: str) -> None:
    reply = api.get("admin/history", **query)
    assert (reply.status, reply.body["errors"][0]["field"]) == (422, field)
