"""Telegram messages over REST."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.accounts import token_issue
from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.rows import claim, fresh, message_make

URL = "/api/v1/telegram/messages"
EVERYTHING = ("telegram.send_message", "telegram.view_queuedmessage", "telegram.operate_message")

MakeCaller = Callable[..., Client]


@pytest.fixture
def caller(account: Callable[..., User]) -> MakeCaller:
    """A machine with a token and these permissions."""

    def make(*permissions: str) -> Client:
        issued = token_issue(account=account("machine", *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make


@pytest.fixture
def api(caller: MakeCaller) -> Client:
    return caller(*EVERYTHING)


def post(api: Client, **given: Any) -> Any:
    body = {"telegram_id": 500, "message": "<b>Hello</b>", **given}
    return api.post(URL, body, content_type="application/json")


def test_a_message_is_taken(api: Client) -> None:
    answer = post(api, priority=1, notification_type="expiry")
    assert answer.status_code == 202
    row = QueuedMessage.objects.get()
    body = answer.json()
    assert body["id"] == row.pk
    assert (body["status"], body["priority"], body["attempts"]) == ("pending", 1, 0)
    assert body["explanation"].startswith("Due since")
    assert (row.telegram_id, row.message, row.notification_type) == (500, "<b>Hello</b>", "expiry")
    assert row.correlation_id


def test_a_message_with_a_known_key_is_the_one_that_was_there(api: Client) -> None:
    first = post(api, dedup_key="invoice:1")
    again = post(api, dedup_key="invoice:1", message="Another")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert QueuedMessage.objects.count() == 1


@pytest.mark.parametrize(
    "given",
    [
        {"message": "x" * 4097},
        {"message": "<b>no end"},
        {"message": "<div>x</div>"},
        {"message": ""},
        {"message": "<b> </b>"},
        {"message": None},
        {"telegram_id": None},
        {"telegram_id": "@somebody"},
        {"telegram_id": 2**63},
        {"telegram_id": 0},
        {"priority": 4},
        {"parse_mode": "BBCode"},
        {"scheduled_at": "tomorrow"},
        {"dedup_ttl_s": 0, "dedup_key": "a"},
        {"dedup_key": "k" * 161},
        {"notification_type": "t" * 51},
        {"mode": "later"},
        {"mode": "now", "message": "<b>no end"},
        {"mode": "now", "telegram_id": 0},
        {"mode": "now", "dedup_key": "a"},
        {"mode": "now", "scheduled_at": "2999-01-01T00:00:00Z"},
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(api: Client, given: dict[str, Any]) -> None:
    answer = post(api, **given)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] in {"invalid", "invalid_text"}
    assert problem["detail"]
    assert not QueuedMessage.objects.exists()


def test_broken_markup_says_where(api: Client) -> None:
    assert "<b> is never closed" in post(api, message="<b>no end").json()["detail"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[1, 2]"])
def test_a_body_that_is_no_object_is_refused(api: Client, body: bytes) -> None:
    answer = api.post(URL, body, content_type="application/json")
    assert answer.status_code in {400, 422}
    assert not QueuedMessage.objects.exists()


def test_json_that_is_none_is_malformed(api: Client) -> None:
    answer = api.post(URL, b"{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_stranger_may_nothing(client: Client) -> None:
    row = message_make()
    assert post(client).status_code == 401
    assert client.get(f"{URL}/{row.pk}").status_code == 401
    assert client.post(f"{URL}/{row.pk}/actions/retry").status_code == 401


@pytest.mark.parametrize("permission", EVERYTHING)
def test_each_act_has_its_permission(caller: MakeCaller, permission: str) -> None:
    row = message_make()
    api = caller(permission)
    statuses = {
        "telegram.send_message": post(api).status_code,
        "telegram.view_queuedmessage": api.get(f"{URL}/{row.pk}").status_code,
        "telegram.operate_message": api.post(f"{URL}/{row.pk}/actions/cancel").status_code,
    }
    assert statuses.pop(permission) in {200, 202}
    assert set(statuses.values()) == {403}


def test_the_status_of_a_message_is_one_query_beside_who_asks(
    api: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    row = message_make(status="failed", reason="blocked", error_message="Forbidden", attempts=1)
    with django_assert_max_num_queries(5):
        answer = api.get(f"{URL}/{row.pk}")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["reason"], body["attempts"]) == ("failed", "blocked", 1)
    assert body["explanation"] == "The person has blocked the bot. Forbidden"
    assert "message" not in body


def test_a_message_that_is_not_there_is_not_found(api: Client) -> None:
    assert api.get(f"{URL}/404").status_code == 404
    assert api.post(f"{URL}/404/actions/cancel").status_code == 404


def test_a_message_is_cancelled_and_brought_back(api: Client) -> None:
    row = message_make()
    answer = api.post(f"{URL}/{row.pk}/actions/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    answer = api.post(f"{URL}/{row.pk}/actions/retry")
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    assert [entry.account_name for entry in AuditEntry.objects.all()] == ["machine", "machine"]


def test_what_the_state_forbids_is_a_conflict(api: Client) -> None:
    waiting, sent = message_make(1), message_make(2, status="sent")
    claim()
    for row, action, code in (
        (waiting, "cancel", "message_not_waiting"),
        (sent, "cancel", "message_not_waiting"),
        (sent, "retry", "message_not_failed"),
    ):
        answer = api.post(f"{URL}/{row.pk}/actions/{action}")
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert fresh(sent).status == "sent"


def test_a_message_can_go_past_the_queue(api: Client) -> None:
    answer = post(api, mode="now")
    assert answer.status_code == 202
    job = assert_enqueued("telegram.send_now", telegram_id=500, message="<b>Hello</b>")
    assert answer.json()["job_id"] == str(job.id)
    assert not QueuedMessage.objects.exists()
