"""Who may open which door of the inbox."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from tests.notifications.inbox.api.conftest import EVERYTHING
from tests.notifications.inbox.api.server import Caller, TestClient

BODY = {"target": [{"id": 1, "login": "alice"}], "message": "Hello", "source": "shop"}
ONE = "notify/01900000-0000-7000-8000-000000000001"  # of nobody; in the names of tests
PREFERENCES = "recipients/1/alice/preferences"
DOORS = [
    ("POST", "notify", "inbox.send_notification"),
    ("GET", ONE, "inbox.view_notification"),
    ("PATCH", ONE, "inbox.change_notification"),
    ("DELETE", ONE, "inbox.change_notification"),
    ("GET", "admin/clients", "inbox.view_notification"),
    ("GET", "admin/users", "inbox.view_notification"),
    ("GET", "admin/pending", "inbox.view_notification"),
    ("GET", "admin/history?user_id=1&login=alice", "inbox.view_notification"),
    ("GET", PREFERENCES, "inbox.view_recipient"),
    ("PUT", PREFERENCES, "inbox.change_recipient"),
    ("PATCH", PREFERENCES, "inbox.change_recipient"),
]
EVERY_DOOR = pytest.mark.parametrize(("method", "path", "permission"), DOORS)


@EVERY_DOOR
def test_a_door_opens_for_its_permission_alone(
    caller: Callable[..., Caller], method: str, path: str, permission: str
) -> None:
    may = caller(permission, name="may")
    others = [each for each in EVERYTHING if each != permission]
    may_not = caller(*others, name="may-not")

    refused = may_not.ask(method, path, BODY)

    assert (refused.status, refused.code) == (403, "permission_denied")
    assert permission in refused.body["detail"]
    assert may.ask(method, path, BODY).status in {200, 202, 404, 422}


@EVERY_DOOR
def test_a_stranger_finds_every_door_shut(
    db: None, method: str, path: str, permission: str
) -> None:
    reply = Caller(TestClient(), None).ask(method, path, BODY)
    assert (reply.status, reply.code) == (401, "not_authenticated")


@EVERY_DOOR
def test_with_open_identity_the_commands_of_the_source_work_without_a_token(
    db: None, settings: Settings, method: str, path: str, permission: str
) -> None:
    settings.OPEN_IDENTITY = True
    assert Caller(TestClient(), None).ask(method, path, BODY).status in {200, 202, 404, 422}


def test_a_person_with_a_session_sends_with_the_csrf_token(
    account: Callable[..., User],
) -> None:
    user = account("olga", "inbox.send_notification", is_staff=True)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    token = "a" * 32
    browser.cookies["csrftoken"] = token

    def send(**headers: str) -> Any:
        return browser.post(
            "/api/v1/notify", BODY, content_type="application/json", headers=headers
        )

    refused = send()
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert send(**{"X-CSRFToken": token}).status_code == 202
