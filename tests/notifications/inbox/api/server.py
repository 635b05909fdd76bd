"""A real web process on the database of the tests, and callers who ask it or Django itself."""

import http.client
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlencode, urlsplit

import orjson
from django.conf import settings
from django.test import Client

from tests.ports import free_port

PROJECT = Path(__file__).resolve().parents[4]


class Reply(NamedTuple):
    """An answer. Names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.content)

    @property
    def code(self) -> Any:
        return self.body["code"]


class Carrier(Protocol):
    """Brings a request to the site."""

    def carry(
        self, method: str, path: str, content: bytes | Sequence[bytes], headers: dict[str, str]
    ) -> Reply:
        """Send it and wait for the answer."""


class TestClient:
    """Django's own client: the DRF view, in the thread and the transaction of the test."""

    __test__ = False  # pytest would take it for a test

    def carry(
        self, method: str, path: str, content: bytes | Sequence[bytes], headers: dict[str, str]
    ) -> Reply:
        body = content if isinstance(content, bytes) else b"".join(content)
        content_type = headers.get("Content-Type", "application/json")
        others = {name: value for name, value in headers.items() if name != "Content-Type"}
        answer = Client(raise_request_exception=False).generic(
            method, path, body, content_type, headers=others
        )
        named = {name.lower(): value for name, value in answer.items()}
        return Reply(answer.status_code, named, answer.content)


class Server:
    """`python -m config.serve`: requests go through the door of the web process."""

    def __init__(self, log: Path, **environment: str) -> None:
        self.port = free_port()
        name = quote(str(settings.DATABASES["default"]["NAME"]))
        database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.serve"],
            cwd=PROJECT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "DATABASE_URL": database,
                "REDIS_URL": str(settings.REDIS_URL),
                "REDIS_PREFIX": str(settings.CACHES["default"]["KEY_PREFIX"]),
                "PORT": str(self.port),
                "OPEN_IDENTITY": "0",
                **environment,
            },
            stdout=self._log,
            stderr=self._log,
        )
        until(self._answers, within_s=60)

    def carry(
        self, method: str, path: str, content: bytes | Sequence[bytes], headers: dict[str, str]
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            body: Any = content if isinstance(content, bytes) else iter(content)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read())
        finally:
            connection.close()

    def log(self) -> str:
        """What the process has written so far."""
        return Path(self._log.name).read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=30)
        self._log.close()

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log()
        try:
            return self.carry("GET", "/health", b"", {}).status == 200
        except OSError:
            return False


class Caller:
    """A machine with a token, or a stranger without one. Paths are below /api/v1/."""

    def __init__(self, carrier: Carrier, token: str | None) -> None:
        self._carrier = carrier
        self._token = token

    def by(self, carrier: Carrier) -> "Caller":
        """The same machine by another carrier."""
        return Caller(carrier, self._token)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Reply:
        """body: JSON, or bytes as they are; a tuple of bytes goes in chunks."""
        content = body if isinstance(body, bytes | tuple) else orjson.dumps(body)
        given = {"Content-Type": "application/json", **(headers or {})}
        if self._token:
            given["Authorization"] = f"Bearer {self._token}"
        address = f"/api/v1/{path}" + (f"?{urlencode(query)}" if query else "")
        return self._carrier.carry(method, address, b"" if body is None else content, given)

    def get(self, path: str, **query: Any) -> Reply:
        return self.ask("GET", path, **query)

    def notify(self, body: Any, **headers: str) -> Reply:
        """POST /api/v1/notify"""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", "notify", body, named)


def until(condition: Any, within_s: float = 20) -> Any:
    """Look again and again until it is true."""
    pause, end = Event(), monotonic() + within_s
    while not (found := condition()):
        assert monotonic() < end, "it never came true"
        pause.wait(0.02)
    return found
