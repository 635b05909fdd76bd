"""The four scenarios of the source, as written: curl without a token, and a client on WebSocket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from jobs.testing import job_perform
from notifications.inbox.models import Notification
from tests.notifications.inbox.api.server import Caller, Server, until

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Server]:
    """`make run` as far as the web process goes."""
    server = Server(tmp_path / "server.log", OPEN_IDENTITY="1")
    yield server
    server.end()


@pytest.fixture
def curl(site: Server) -> Caller:
    return Caller(site, None)


def client(site: Server, user_id: int, login: str) -> ClientConnection:
    """DEV_USER_ID=... DEV_LOGIN=... make client"""
    return connect(f"ws://127.0.0.1:{site.port}/ws?user_id={user_id}&login={login}")


def heard(socket: ClientConnection, kind: str) -> Any:
    """The data of the next frame of a type."""
    while True:
        frame = json.loads(socket.recv(timeout=20))
        if frame["type"] == kind:
            return frame["data"]


def ack(socket: ClientConnection, data: dict[str, Any]) -> None:
    named = {name: data[name] for name in ("notification_id", "stream_id")}
    socket.send(json.dumps({"type": "notification.read", "data": named}))
    assert heard(socket, "notification.read.ack").items() >= named.items()


def pending(curl: Caller) -> Any:
    return curl.get("admin/pending").body


def test_somebody_online_is_told_at_once(site: Server, curl: Caller) -> None:
    with client(site, 1, "test_user") as socket:
        heard(socket, "session")
        reply = curl.notify(
            {
                "target": [{"id": 1, "login": "test_user"}],
                "message": "Добро пожаловать в наш сервис!",
                "source": "onboarding-service",
            },
            Idempotency_Key="order-12345-notification",
        )
        data = heard(socket, "notification.push")
        sent = reply.body["results"][0]["notification_id"]
        assert (data["notification_id"], data["message"]) == (
            sent, "Добро пожаловать в наш сервис!",
        )  # fmt: skip
        assert (data["status"], data["read"]) == ("unread", False)
        until(lambda: curl.get(f"notify/{sent}").body["screens"] == 1)

        ack(socket, data)

    told = curl.get(f"notify/{sent}").body
    assert told["state"] == "read"
    assert [moment["what"] for moment in told["timeline"]] == ["accepted", "pushed", "acked"]
    (entry,) = curl.get("admin/history", user_id=1, login="test_user").body["history"]
    assert entry["read"] is True


def test_somebody_offline_is_told_on_coming_back(site: Server, curl: Caller) -> None:
    curl.notify(
        {
            "target": [{"id": 2, "login": "offline_user"}],
            "message": "У вас новое сообщение",
            "source": "chat-service",
        }
    )
    waits = pending(curl)
    assert (waits["total_pending"], waits["users_with_pending"]) == (1, 1)
    (entry,) = waits["pending_notifications"]["2-offline_user"]
    assert (entry["payload"]["message"], entry["read"]) == ("У вас новое сообщение", False)

    for _ in range(2):  # what is not acked comes again
        with client(site, 2, "offline_user") as socket:
            data = heard(socket, "notification.push")
    assert data["stream_id"] == entry["id"]

    with client(site, 2, "offline_user") as socket:
        ack(socket, heard(socket, "notification.push"))
    assert pending(curl)["total_pending"] == 0


def test_several_clients_are_told_by_one_request(site: Server, curl: Caller) -> None:
    with client(site, 1, "alice") as alice, client(site, 2, "bob") as bob:
        for socket in (alice, bob):
            heard(socket, "session")
        until(lambda: len(curl.get("admin/users").body["users"]) == 2)
        curl.notify(
            {
                "target": [{"id": 1, "login": "alice"}, {"id": 2, "login": "bob"}],
                "message": "Системное обслуживание через 10 минут",
                "source": "admin-service",
            }
        )
        messages = [heard(socket, "notification.push")["message"] for socket in (alice, bob)]
    assert messages == ["Системное обслуживание через 10 минут"] * 2


def test_what_expires_unread_is_shown_as_auto_cleared(site: Server, curl: Caller) -> None:
    reply = curl.notify(
        {
            "target": [{"id": 1, "login": "test_user"}],
            "message": "Это истечет через 15 минут",
            "source": "test-service",
            "ttl_s": 1,
        }
    )
    sent = reply.body["results"][0]["notification_id"]

    def is_cleared() -> bool:
        job_perform("inbox.clear_expired")
        return Notification.objects.get().state == "auto_cleared"

    until(is_cleared)

    with client(site, 1, "test_user") as socket:
        data = heard(socket, "notification.push")
    assert (data["notification_id"], data["status"]) == (sent, "auto_cleared")
    assert pending(curl)["total_pending"] == 0
    told = curl.get(f"notify/{sent}").body
    assert "No screen was open before it expired" in told["why_not"]
