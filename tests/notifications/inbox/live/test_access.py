"""Who may follow the console, by WebSocket and by REST."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as active
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.fixtures import Settings

from notifications.inbox.live.consumers import console

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cookie() -> Callable[..., str]:
    """The cookie of somebody who is logged in: cookie("inbox.view_notification", is_staff=True)."""

    def make(*permissions: str, **fields: Any) -> str:
        user = User.objects.create_user("olga", **fields)
        for name in permissions:
            app, codename = name.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
        client = Client()
        client.force_login(user)
        return f"{active.SESSION_COOKIE_NAME}={client.cookies[active.SESSION_COOKIE_NAME].value}"

    return make


def visit(cookie: str = "", origin: str = "http://testserver") -> list[dict[str, Any]]:
    """What a console is sent until its first frame, after which it leaves; or until it is closed."""

    async def story() -> list[dict[str, Any]]:
        headers = [
            (b"host", b"testserver"),
            (b"origin", origin.encode()),
            (b"cookie", cookie.encode()),
        ]
        heard: list[dict[str, Any]] = [{"type": "websocket.connect"}]
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if heard:
                return heard.pop()
            await gone.wait()
            return {"type": "websocket.disconnect", "code": 1001}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)
            if message["type"] == "websocket.send":
                gone.set()

        gone = asyncio.Event()
        async with asyncio.timeout(30):
            await console({"type": "websocket", "headers": headers}, receive, send)
        return said

    return async_to_sync(story)()


def closed(said: list[dict[str, Any]]) -> int:
    """The code with which it was closed; 0 if it was served."""
    assert said[0]["type"] == "websocket.accept"
    codes = [int(each["code"]) for each in said if each["type"] == "websocket.close"]
    return codes[0] if codes else 0


def test_staff_with_the_permission_is_served(cookie: Callable[..., str]) -> None:
    assert closed(visit(cookie("inbox.view_notification", is_staff=True))) == 0


@pytest.mark.parametrize(
    ("permissions", "fields"),
    [
        ((), {"is_staff": True}),
        (("inbox.view_notification",), {}),
        (("inbox.view_notification",), {"is_staff": True, "is_active": False}),
    ],
    ids=["no permission", "no staff", "not active"],
)
def test_others_are_not(
    cookie: Callable[..., str], permissions: tuple[str, ...], fields: dict[str, bool]
) -> None:
    assert closed(visit(cookie(*permissions, **fields))) == 4401


def test_a_stranger_and_a_made_up_session_are_not() -> None:
    assert closed(visit()) == 4401
    assert closed(visit(f"{active.SESSION_COOKIE_NAME}=madeup")) == 4401


def test_the_page_of_somebody_else_is_not(cookie: Callable[..., str]) -> None:
    known = cookie("inbox.view_notification", is_staff=True)
    assert closed(visit(known, origin="https://evil.example")) == 4403


def test_with_open_identity_everybody_is(settings: Settings) -> None:
    settings.OPEN_IDENTITY = True
    assert closed(visit()) == 0


def test_by_rest_it_takes_the_same_permission(client: Client, account: Callable[..., User]) -> None:
    assert client.get("/api/v1/admin/live").status_code == 401
    client.force_login(account("nina"))
    assert client.get("/api/v1/admin/live").status_code == 403
    client.force_login(account("olga", "inbox.view_notification"))
    found = client.get("/api/v1/admin/live").json()
    assert set(found) == {"clients", "pending", "counts", "latency", "tick"}
