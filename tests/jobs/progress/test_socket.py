"""Who may follow an operation by WebSocket, and how the socket ends."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as active
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken
from pytest_django.fixtures import Settings

from jobs.progress import consumers
from jobs.progress.consumers import progress_socket
from jobs.progress.snapshot import Stage
from jobs.progress.viewers import ticket_issue
from jobs.progress.watch import Watch
from lib import clock
from lib.ids import uuid7
from tests.jobs.progress.kinds import STEER, VIEW, Digging

pytestmark = pytest.mark.django_db(transaction=True)

Account = Callable[..., User]


def cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"{active.SESSION_COOKIE_NAME}={client.cookies[active.SESSION_COOKIE_NAME].value}"


def visit(
    operation_id: UUID,
    *,
    ticket: str = "",
    origin_ok: bool = True,
    until: str = "progress.snapshot",
    meanwhile: Callable[[], None] | None = None,
    **headers: str,
) -> list[dict[str, Any]]:
    """What a viewer is sent until a frame of this type, after which they leave; or until the close."""

    async def story() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = [{"type": "websocket.connect"}]
        said: list[dict[str, Any]] = []
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if heard:
                return heard.pop()
            await gone.wait()
            return {"type": "websocket.disconnect", "code": 1001}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)
            if message["type"] == "websocket.send":
                kind = orjson.loads(message["text"])["type"]
                if kind == "progress.snapshot" and meanwhile is not None:
                    meanwhile()
                if kind == until:
                    gone.set()

        scope = {
            "type": "websocket",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "query_string": f"ticket={ticket}".encode() if ticket else b"",
            "url_route": {"kwargs": {"operation_id": operation_id}},
        }
        async with asyncio.timeout(30):
            app = progress_socket(lambda scope: origin_ok, Watch(every_s=0.01))
            await app(scope, receive, send)
        return said

    return async_to_sync(story)()


def frames(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [orjson.loads(each["text"]) for each in said if each["type"] == "websocket.send"]


def closed(said: list[dict[str, Any]]) -> int:
    """The code with which it was closed; 0 if the viewer left first."""
    assert said[0]["type"] == "websocket.accept"
    return int(said[-1]["code"]) if said[-1]["type"] == "websocket.close" else 0


def test_who_may_look_is_told_what_they_may_do(digging: Digging, account: Account) -> None:
    said = visit(digging.now.id, cookie=cookie(account("olga", VIEW, STEER)))
    hello, snapshot = frames(said)
    assert (hello["type"], hello["data"]["may"]) == (
        "progress.hello",
        ["pause", "resume", "blow_up"],
    )
    assert (snapshot["data"]["title"], snapshot["data"]["done"]) == ("Holes along the road", 4)
    looker = visit(digging.now.id, cookie=cookie(account("nina", VIEW)))
    assert frames(looker)[0]["data"]["may"] == []


def test_the_socket_ends_when_the_operation_is_over(digging: Digging, account: Account) -> None:
    said = visit(
        digging.now.id,
        until="never",
        meanwhile=lambda: digging.set(stage=Stage.OVER, done=9, state="dug"),
        cookie=cookie(account("olga", VIEW)),
    )
    assert closed(said) == 1000
    assert frames(said)[-1]["data"]["state"] == "dug"


def test_strangers_and_made_up_sessions_are_sent_to_log_in(digging: Digging) -> None:
    assert closed(visit(digging.now.id)) == 4401
    assert closed(visit(digging.now.id, cookie=f"{active.SESSION_COOKIE_NAME}=x")) == 4401
    assert closed(visit(digging.now.id, authorization="Bearer nonsense")) == 4401
    assert closed(visit(digging.now.id, authorization="Bearer no\u00e4")) == 4401
    assert digging.looks == 0  # nothing is looked up for them


def test_who_lacks_the_permission_is_refused(digging: Digging, account: Account) -> None:
    assert closed(visit(digging.now.id, cookie=cookie(account("eve", STEER)))) == 4403


def test_the_page_of_somebody_else_is_refused(digging: Digging, account: Account) -> None:
    known = cookie(account("olga", VIEW))
    assert closed(visit(digging.now.id, cookie=known, origin_ok=False)) == 4403


def test_an_unknown_operation_is_told_to_those_who_are_known(
    digging: Digging, account: Account
) -> None:
    assert closed(visit(uuid7(), cookie=cookie(account("olga", VIEW)))) == 4404
    assert closed(visit(uuid7())) == 4401


def test_a_machine_comes_with_its_token(digging: Digging, account: Account) -> None:
    _, token = AuthToken.objects.create(account("shop", VIEW))
    assert closed(visit(digging.now.id, authorization=f"Bearer {token}")) == 0
    assert closed(visit(digging.now.id, authorization=f"Token {token}")) == 0


def test_a_ticket_opens_its_operation_and_no_other(digging: Digging, account: Account) -> None:
    shop = account("shop", VIEW)
    ticket, _ = ticket_issue(operation_id=digging.now.id, user_id=shop.pk)
    assert closed(visit(digging.now.id, ticket=ticket)) == 0
    assert closed(visit(uuid7(), ticket=ticket)) == 4401
    assert closed(visit(digging.now.id, ticket=ticket + "x")) == 4401
    User.objects.filter(pk=shop.pk).update(is_active=False)
    assert closed(visit(digging.now.id, ticket=ticket)) == 4401


def test_a_ticket_runs_out(
    digging: Digging, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, expires_at = ticket_issue(operation_id=digging.now.id, user_id=account("s", VIEW).pk)
    monkeypatch.setattr(clock, "now", lambda: expires_at)
    assert closed(visit(digging.now.id, ticket=ticket)) == 4401


@pytest.mark.parametrize("how", ["cookie", "ticket"])
def test_who_loses_the_permission_stops_seeing(
    digging: Digging, account: Account, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(consumers, "RECHECK_S", 0.01)
    olga = account("olga", VIEW)
    ticket, session = "", cookie(olga)
    if how == "ticket":
        ticket, session = ticket_issue(operation_id=digging.now.id, user_id=olga.pk)[0], ""
    digging.set(stage=Stage.PAUSED)
    lost: list[bool] = []

    async def lose() -> None:
        await olga.user_permissions.aclear()
        lost.append(True)

    tasks: list[asyncio.Task[None]] = []

    def meanwhile() -> None:
        if not tasks:
            tasks.append(asyncio.get_running_loop().create_task(lose()))

    said = visit(digging.now.id, until="never", meanwhile=meanwhile, ticket=ticket, cookie=session)
    assert closed(said) == 4403
    assert lost


def test_with_open_identity_everybody_may_look_and_act(
    digging: Digging, settings: Settings
) -> None:
    settings.OPEN_IDENTITY = True
    said = visit(digging.now.id)
    assert closed(said) == 0
    assert frames(said)[0]["data"]["may"] == ["pause", "resume", "blow_up"]
