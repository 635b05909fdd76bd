"""POST /api/v1/notify by both ways: what it takes, what it answers, what is stored."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User

from notifications.inbox.models import Notification, Recipient
from tests.notifications.inbox.api.conftest import BOTH_WAYS
from tests.notifications.inbox.api.server import Caller

pytestmark = BOTH_WAYS

ALICE, BOB = {"id": 1, "login": "alice"}, {"id": 2, "login": "bob"}
LEAST = {"target": [ALICE], "message": "Hello", "source": "shop"}


def test_the_request_of_the_source_is_answered_as_the_source_says(sender: Caller) -> None:
    reply = sender.notify(
        {
            "target": [ALICE, BOB],
            "message": "Ваш заказ #12345 отправлен и прибудет завтра",
            "created_at": "2024-01-01T12:00:00Z",
            "source": "order-service",
        }
    )

    assert reply.status == 202
    assert reply.headers["content-type"] == "application/json"
    rows = {row.recipient.login: row for row in Notification.objects.select_related("recipient")}
    assert reply.body == {
        "results": [
            {"target": ALICE, "notification_id": str(rows["alice"].pk)},
            {"target": BOB, "notification_id": str(rows["bob"].pk)},
        ]
    }
    for row in rows.values():
        assert row.message == "Ваш заказ #12345 отправлен и прибудет завтра"
        assert row.created_at == datetime(2024, 1, 1, 12, tzinfo=UTC)
        assert (row.source, row.state) == ("order-service", "unread")


def test_every_field_is_stored(sender: Caller) -> None:
    reply = sender.ask(
        "POST",
        "notify",
        {
            **LEAST,
            "ttl_s": 120,
            "collapse_key": "order-7",
            "priority": 1,
            "data": {"order": 7, "имя": "я"},
            "fallback_after_s": 60,
        },
        {"X-Correlation-ID": "checkout-4711"},
    )

    assert reply.status == 202
    assert reply.headers["x-correlation-id"] == "checkout-4711"
    row = Notification.objects.get()
    assert (row.ttl_s, row.collapse_key, row.priority) == (120, "order-7", 1)
    assert row.data == {"order": 7, "имя": "я"}
    assert row.expires_at is not None
    assert round((row.expires_at - row.accepted_at).total_seconds()) == 120
    assert row.correlation_id == "checkout-4711"
    assert row.sender == User.objects.get(username="machine")


def test_an_answer_means_that_it_is_stored_and_counted(sender: Caller) -> None:
    for _ in range(3):
        assert sender.notify(LEAST).status == 202
    alice = Recipient.objects.get()
    assert (alice.unread, Notification.objects.filter(state="unread").count()) == (3, 3)
    positions: list[Any] = list(
        Notification.objects.order_by("id").values_list("position", flat=True)
    )
    assert positions == sorted(set(positions))
    assert alice.last_position == positions[-1]


def test_who_is_named_twice_is_told_once(sender: Caller) -> None:
    reply = sender.notify({**LEAST, "target": [ALICE, BOB, ALICE]})
    first, _, again = reply.body["results"]
    assert first == again
    assert Notification.objects.count() == 2


def test_a_newer_one_takes_the_place_of_its_key(sender: Caller) -> None:
    sender.notify({**LEAST, "collapse_key": "order-7"})
    sender.notify({**LEAST, "collapse_key": "order-7", "message": "Newer"})
    states = dict(Notification.objects.values_list("message", "state"))
    assert states == {"Hello": "replaced", "Newer": "unread"}


def test_ten_thousand_people_are_told_at_once(sender: Caller) -> None:
    people = [{"id": n, "login": f"user-{n}"} for n in range(1, 10_001)]
    reply = sender.notify({**LEAST, "target": people})
    assert reply.status == 202
    assert [each["target"] for each in reply.body["results"]] == people
    assert Notification.objects.filter(state="unread").count() == 10_000


def test_ten_thousand_and_one_are_too_many(sender: Caller) -> None:
    people = [{"id": n, "login": f"user-{n}"} for n in range(1, 10_002)]
    reply = sender.notify({**LEAST, "target": people})
    assert (reply.status, reply.code) == (413, "too_many_targets")
    assert reply.body["limit_targets"] == 10_000
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid"),
        (b"{", 400, "malformed"),
        (b"\xff", 400, "malformed"),
        (b'{"message": "\\u0000"}', 400, "malformed"),
        (b'{"message": "\\ud800"}', 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b"{}", 422, "invalid"),
        (orjson.dumps({**LEAST, "message": ""}), 422, "invalid"),
        (orjson.dumps({**LEAST, "priority": "high"}), 422, "invalid"),
        (orjson.dumps({**LEAST, "titel": "x"}), 422, "invalid"),
        (orjson.dumps({**LEAST, "target": [{"id": 1}]}), 422, "invalid"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_stored(
    sender: Caller, body: bytes, status: int, code: str
) -> None:
    reply = sender.notify(body)
    assert (reply.status, reply.code) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body["correlation_id"] == reply.headers["x-correlation-id"]
    assert not Notification.objects.exists()


def test_a_refusal_names_the_fields(sender: Caller) -> None:
    reply = sender.notify({"target": [ALICE, {"id": "2", "login": "bob"}], "message": "x"})
    assert [error["field"] for error in reply.body["errors"]] == ["target.1", "source"]


@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_of_more_than_four_megabytes_is_refused(sender: Caller, in_chunks: bool) -> None:
    size = 4 * 1024 * 1024
    body = (b'{"message": "', b"x" * size, b'"}')
    reply = sender.notify(body if in_chunks else b"".join(body))
    assert (reply.status, reply.code) == (413, "too_large")


def test_another_media_type_is_refused(sender: Caller) -> None:
    reply = sender.ask("POST", "notify", b"{}", {"Content-Type": "text/plain"})
    assert (reply.status, reply.code) == (415, "unsupported_media_type")


def test_a_stranger_is_refused(sender: Caller, carrier: Any) -> None:
    reply = Caller(carrier, None).notify(LEAST)
    assert (reply.status, reply.code) == (401, "not_authenticated")
    assert reply.headers["www-authenticate"] == "Bearer"


def test_sending_needs_its_permission(carrier: Any, token: Any) -> None:
    reply = Caller(carrier, token("inbox.view_notification")).notify(LEAST)
    assert (reply.status, reply.code) == (403, "permission_denied")
    assert "inbox.send_notification" in reply.body["detail"]
    assert not Notification.objects.exists()


def test_only_post_is_known(sender: Caller) -> None:
    assert (sender.get("notify").status, sender.ask("DELETE", "notify").status) == (405, 405)
