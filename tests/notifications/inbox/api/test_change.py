"""One notification over REST: looking at it, changing its text, taking it back."""

from typing import Any

import pytest

from jobs.models import AuditEntry
from lib.ids import uuid7
from notifications.inbox.models import Notification
from tests.notifications.inbox.api.rows import (
    BASE,
    client_make,
    notification_make,
    push_make,
    recipient_make,
)
from tests.notifications.inbox.api.server import Caller


def path(row: Notification) -> str:
    return f"notify/{row.pk}"


def test_a_notification_tells_all_about_itself(api: Caller) -> None:
    row = notification_make(data={"order": 7}, collapse_key="order-7", correlation_id="checkout-1")
    phone = client_make(device="phone")
    push_make(row, str(phone.pk))

    body = api.get(path(row)).body

    timeline = body.pop("timeline")
    assert body == {
        "notification_id": str(row.pk),
        "stream_id": f"{BASE}-0",
        "target": {"id": 1, "login": "alice"},
        "state": "unread",
        "message": "Hello",
        "source": "shop",
        "data": {"order": 7},
        "priority": 2,
        "collapse_key": "order-7",
        "edition": 1,
        "created_at": _wire(row.created_at),
        "accepted_at": _wire(row.accepted_at),
        "deliver_at": None,
        "expires_at": _wire(row.expires_at),
        "read_at": None,
        "correlation_id": "checkout-1",
        "screens": 1,
        "why_not": None,
    }
    assert [moment["what"] for moment in timeline] == ["accepted", "pushed"]
    assert timeline[1]["devices"] == [
        {"client_id": str(phone.pk), "pod_id": "pod-1", "device": "phone"}
    ]


def test_what_nobody_saw_says_why(api: Caller) -> None:
    row = notification_make(None, state="muted")
    body = api.get(path(row)).body
    assert (body["stream_id"], body["state"], body["screens"]) == (None, "muted", 0)
    assert body["why_not"] == "The person has muted the source shop."


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_notification_is_not_found(api: Caller, method: str) -> None:
    reply = api.ask(method, f"notify/{uuid7()}", {"message": "x"})
    assert (reply.status, reply.code) == (404, "notification_unknown")


def test_another_text_is_another_edition(api: Caller) -> None:
    row = notification_make()
    push_make(row, "a", "b")

    reply = api.ask("PATCH", path(row), {"message": "Arrives on Friday"})

    assert reply.status == 200
    assert reply.body == {"notification_id": str(row.pk), "edition": 2, "screens": 2}
    row.refresh_from_db()
    assert (row.message, row.edition, row.state) == ("Arrives on Friday", 2, "unread")
    assert AuditEntry.objects.get().action == "inbox.update"


@pytest.mark.parametrize("data", [{"order": 8}, None])
def test_other_data_leaves_the_text_alone(api: Caller, data: Any) -> None:
    row = notification_make(data={"order": 7})
    assert api.ask("PATCH", path(row), {"data": data}).status == 200
    row.refresh_from_db()
    assert (row.message, row.data) == ("Hello", data)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, [""]),
        ([], [""]),
        ({"message": ""}, ["message"]),
        ({"message": None}, ["message"]),
        ({"message": "x" * 4001}, ["message"]),
        ({"data": [1]}, ["data"]),
        ({"data": {"x": "y" * 4096}}, ["data"]),
        ({"source": "shop"}, ["source"]),
        ({"message": "", "data": 7, "ttl_s": 5}, ["ttl_s", "message", "data"]),
    ],
)
def test_a_change_that_does_not_fit_is_refused(api: Caller, body: Any, fields: list[str]) -> None:
    row = notification_make()
    reply = api.ask("PATCH", path(row), body)
    assert (reply.status, reply.code) == (422, "invalid")
    assert [error["field"] for error in reply.body["errors"]] == fields
    row.refresh_from_db()
    assert row.edition == 1


def test_taking_back_says_who_had_it_and_may_be_repeated(api: Caller) -> None:
    row = notification_make(recipient=recipient_make(unread=1))
    push_make(row, "a")

    replies = [api.ask("DELETE", path(row)) for _ in range(2)]

    recalled = {"notification_id": str(row.pk), "state": "recalled", "screens": 1}
    assert [(reply.status, reply.body) for reply in replies] == [(200, recalled)] * 2
    row.refresh_from_db()
    assert (row.state, row.recipient.unread) == ("recalled", 0)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("state", "why"), [("read", "read already"), ("auto_cleared", "expired"), ("replaced", "newer")]
)
def test_what_is_settled_stays(api: Caller, method: str, state: str, why: str) -> None:
    row = notification_make(state=state)
    reply = api.ask(method, path(row), {"message": "Too late"})
    assert (reply.status, reply.code) == (409, "notification_settled")
    assert why in reply.body["detail"]
    row.refresh_from_db()
    assert (row.state, row.message) == (state, "Hello")


def test_what_was_taken_back_has_no_other_text(api: Caller) -> None:
    row = notification_make(state="recalled")
    reply = api.ask("PATCH", path(row), {"message": "Too late"})
    assert (reply.status, reply.code) == (409, "notification_settled")


def _wire(moment: Any) -> str:
    text: str = moment.isoformat()
    return text.replace("+00:00", "Z")
