"""Who may open which door of the conversations."""

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from tests.notifications.conversations.api.conftest import EVERYTHING
from tests.notifications.inbox.api.server import Caller, TestClient

VIEW, OPERATE, SEND = EVERYTHING
ONE = "dialogs/01900000-0000-7000-8000-000000000001"  # of nobody
PERSON = {"user_id": "anna"}
DOORS = [
    ("GET", "dialogs", VIEW, None),
    ("POST", "dialogs", OPERATE, {"participants": ["anna"]}),
    ("GET", ONE, VIEW, None),
    ("GET", f"{ONE}/messages", VIEW, None),
    ("POST", f"{ONE}/messages", SEND, {"sender_id": "anna", "text": "Hello"}),
    ("POST", f"{ONE}/read", SEND, PERSON),
    ("POST", f"{ONE}/leave", SEND, PERSON),
    ("POST", f"{ONE}/archive", SEND, PERSON),
    ("POST", f"{ONE}/unarchive", SEND, PERSON),
    ("GET", f"{ONE}/participants", VIEW, None),
    ("POST", f"{ONE}/participants", OPERATE, {"participants": ["anna"]}),
    ("PATCH", f"{ONE}/participants/anna", SEND, {"notifications_enabled": False}),
]
EVERY_DOOR = pytest.mark.parametrize(("method", "path", "permission", "body"), DOORS)


@EVERY_DOOR
def test_a_door_opens_for_its_permission_alone(
    caller: Callable[..., Caller], method: str, path: str, permission: str, body: object
) -> None:
    may = caller(permission, name="may")
    may_not = caller(*(each for each in EVERYTHING if each != permission), name="may-not")

    refused = may_not.ask(method, path, body)

    assert (refused.status, refused.code) == (403, "permission_denied")
    assert permission in refused.body["detail"]
    assert may.ask(method, path, body).status in {200, 201, 404}


@EVERY_DOOR
def test_a_stranger_finds_every_door_shut(
    db: None, method: str, path: str, permission: str, body: object
) -> None:
    reply = Caller(TestClient(), None).ask(method, path, body)
    assert (reply.status, reply.code) == (401, "not_authenticated")


@EVERY_DOOR
def test_with_open_identity_no_token_is_needed(
    db: None, settings: Settings, method: str, path: str, permission: str, body: object
) -> None:
    settings.OPEN_IDENTITY = True
    assert Caller(TestClient(), None).ask(method, path, body).status in {200, 201, 404}
