"""Who may follow the dashboard by WebSocket, and how the socket ends."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as active
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken
from pytest_django.fixtures import Settings

from monitoring.dashboard.consumers import dashboard_socket
from monitoring.dashboard.watch import Watch

pytestmark = pytest.mark.django_db(transaction=True)

VIEW = "nodes.view_node"
Account = Callable[..., User]


def cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"{active.SESSION_COOKIE_NAME}={client.cookies[active.SESSION_COOKIE_NAME].value}"


def visit(
    *, recheck_s: float = 3600, meanwhile: Callable[[], Any] | None = None, **headers: str
) -> list[dict[str, Any]]:
    """What a viewer is sent until the first tick, after which they leave; or until the close.

    meanwhile: done at the first tick in place of leaving.
    """

    async def story() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = [{"type": "websocket.connect"}]
        said: list[dict[str, Any]] = []
        doing: list[asyncio.Task[Any]] = []
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if heard:
                return heard.pop()
            await gone.wait()
            return {"type": "websocket.disconnect", "code": 1001}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)
            if message["type"] != "websocket.send" or doing:
                return
            if orjson.loads(message["text"])["type"] == "dashboard.tick":
                if meanwhile is None:
                    gone.set()
                else:
                    doing.append(asyncio.ensure_future(meanwhile()))

        scope = {
            "type": "websocket",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "query_string": b"",
        }
        async with asyncio.timeout(30):
            await dashboard_socket(Watch(), recheck_s)(scope, receive, send)
        return said

    return async_to_sync(story)()


def closed(said: list[dict[str, Any]]) -> int:
    """The code with which it was closed; 0 if the viewer left first."""
    assert said[0]["type"] == "websocket.accept"
    return int(said[-1]["code"]) if said[-1]["type"] == "websocket.close" else 0


def test_who_may_see_servers_follows(account: Account) -> None:
    said = visit(cookie=cookie(account("olga", VIEW)))
    assert closed(said) == 0
    names = [orjson.loads(each["text"])["type"] for each in said[1:]]
    assert {"dashboard.events", "dashboard.alerts", "dashboard.tick"} <= set(names)


def test_a_machine_comes_with_its_token(account: Account) -> None:
    _, token = AuthToken.objects.create(account("shop", VIEW))
    assert closed(visit(authorization=f"Bearer {token}")) == 0


def test_strangers_and_made_up_sessions_are_sent_to_log_in() -> None:
    assert closed(visit()) == 4401
    assert closed(visit(cookie=f"{active.SESSION_COOKIE_NAME}=x")) == 4401
    assert closed(visit(authorization="Bearer nonsense")) == 4401


def test_who_lacks_the_permission_is_refused(account: Account) -> None:
    assert closed(visit(cookie=cookie(account("eve", "jobs.view_queue", is_staff=True)))) == 4403


def test_the_page_of_somebody_else_is_refused(account: Account) -> None:
    known = cookie(account("olga", VIEW))
    said = visit(cookie=known, origin="https://evil.example", host="site.example")
    assert closed(said) == 4403
    assert closed(visit(cookie=known, origin="http://site.example", host="site.example")) == 0


@pytest.mark.parametrize(("lost", "code"), [("permission", 4403), ("account", 4401)])
def test_who_loses_the_right_stops_seeing(account: Account, lost: str, code: int) -> None:
    olga = account("olga", VIEW)

    async def lose() -> None:
        if lost == "permission":
            await olga.user_permissions.aclear()
        else:
            await User.objects.filter(pk=olga.pk).aupdate(is_active=False)

    assert closed(visit(recheck_s=0.01, meanwhile=lose, cookie=cookie(olga))) == code


def test_with_open_identity_everybody_may_look(settings: Settings) -> None:
    settings.OPEN_IDENTITY = True
    assert closed(visit()) == 0
