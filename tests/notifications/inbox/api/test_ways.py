"""The two ways of a notify request: through the door of the web process, and the ordinary one."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from config.api.door import Door
from jobs.models import KeptAnswer
from notifications.inbox.models import Notification
from tests.notifications.inbox.api.conftest import EVERYTHING
from tests.notifications.inbox.api.server import Caller, Reply, Server, TestClient, until

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]

ALICE = {"id": 1, "login": "alice"}
LEAST = {"target": [ALICE], "message": "Hello", "source": "shop"}
# A cookie leads past the door; the language is said because browsers say it.
ORDINARY = {"Cookie": "theme=dark", "Accept-Language": "en"}


def plain(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    """Without what no two answers share."""
    passing = {"date", "server", "vary", "content-length", "transfer-encoding", "connection"}
    return (
        reply.status,
        {name: value for name, value in reply.headers.items() if name not in passing},
        reply.content,
    )


def test_the_web_process_has_the_door_in_front() -> None:
    from config.asgi import application

    door = application.application_mapping["http"]
    assert isinstance(door, Door)
    assert list(door._views) == ["/api/v1/notify"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"message": "\\u0000"}',
        b'"' + b"x" * (4 * 1024 * 1024) + b'"',
        orjson.dumps({**LEAST, "message": "", "priority": 9, "titel": 1}),
        orjson.dumps({**LEAST, "target": [{}] * 50}),
        orjson.dumps({**LEAST, "target": [ALICE] * 10_001}),
    ],
    ids=["cut", "list", "latin", "nul", "large", "wrong", "targets", "many"],
)
def test_a_refusal_is_the_same_byte_for_byte(
    server: Server, token: Callable[..., str], body: bytes
) -> None:
    named = {"X-Correlation-ID": "checkout-4711"}
    machine = Caller(server, token(*EVERYTHING))
    by_door = machine.ask("POST", "notify", body, named)
    by_site = machine.ask("POST", "notify", body, named | ORDINARY)
    by_wsgi = machine.by(TestClient()).ask("POST", "notify", body, named)
    assert by_door.status >= 400
    assert plain(by_door) == plain(by_site)
    assert (by_door.status, by_door.content) == (by_wsgi.status, by_wsgi.content)


def test_an_answer_is_the_same_byte_for_byte(server: Server, token: Callable[..., str]) -> None:
    named = {"X-Correlation-ID": "checkout-4711", "Idempotency-Key": "one"}
    machine = Caller(server, token(*EVERYTHING))
    machine.ask("POST", "notify", LEAST, named)
    by_door = machine.ask("POST", "notify", LEAST, named)
    by_site = machine.ask("POST", "notify", LEAST, named | ORDINARY)
    assert by_door.headers["idempotent-replayed"] == "true"
    assert plain(by_door) == plain(by_site)


def test_strangers_hear_the_same(server: Server) -> None:
    named = {"X-Correlation-ID": "checkout-4711"}
    stranger = Caller(server, None)
    by_door = stranger.ask("POST", "notify", LEAST, named)
    by_site = stranger.ask("POST", "notify", LEAST, named | ORDINARY)
    assert plain(by_door) == plain(by_site)


def test_what_was_answered_survives_a_kill_and_every_key_acts_once(
    tmp_path: Path, token: Callable[..., str]
) -> None:
    machine_token = token(*EVERYTHING)
    first = Server(tmp_path / "first.log")
    accepted: dict[str, Any] = {}

    def send(to: Server, key: str) -> None:
        try:
            reply = Caller(to, machine_token).notify(LEAST, Idempotency_Key=key)
        except OSError:
            return  # killed before it could answer
        assert reply.status == 202
        assert accepted.setdefault(key, reply.content) == reply.content

    keys = [f"order-{n}" for n in range(400)]
    with ThreadPoolExecutor(8) as pool:
        sending = [pool.submit(send, first, key) for key in keys]
        until(lambda: len(accepted) >= 40)
        first.process.send_signal(signal.SIGKILL)
        for each in sending:
            each.result()
    answered = {
        orjson.loads(content)["results"][0]["notification_id"] for content in accepted.values()
    }
    stored = {str(pk) for pk in Notification.objects.values_list("pk", flat=True)}
    assert 40 <= len(answered) < len(keys)
    assert answered <= stored

    second = Server(tmp_path / "second.log")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: send(second, key), keys))
    second.end()
    first.end()
    assert Notification.objects.count() == KeptAnswer.objects.count() == len(keys)
