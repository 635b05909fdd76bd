"""A real web process: callers who hang up while they wait, and a stop while they wait."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import psutil
import pytest
from django.conf import settings

from jobs.models import Job
from jobs.registry import kind_get
from tests.jobs.api.caller import until
from tests.ports import free_port

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("committed")]
PROJECT = Path(__file__).resolve().parents[3]


class Server:
    """`python -m config.serve` on the database of the tests, open to anybody."""

    def __init__(self, log: Path) -> None:
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
                "REDIS_URL": settings.REDIS_URL,
                "PORT": str(self.port),
                "OPEN_IDENTITY": "1",
            },
            stdout=self._log,
            stderr=self._log,
        )
        until(self.answers, within_s=60)

    def answers(self) -> bool:
        assert self.process.poll() is None, Path(self._log.name).read_text()
        try:
            return self.ask("GET", "/health")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = None if body is None else orjson.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            raw = reply.read()
            return reply.status, orjson.loads(raw) if raw else None
        finally:
            connection.close()

    def lease(self, worker: str, wait_s: float = 0) -> tuple[int, Any]:
        return self.ask("POST", "/v1/worker/lease", {"worker_id": worker, "wait_s": wait_s})

    def hang(self, worker: str) -> socket.socket:
        """Begin to wait, on a connection that the test can cut."""
        body = orjson.dumps({"worker_id": worker, "wait_s": 25})
        caller = socket.create_connection(("127.0.0.1", self.port))
        head = (
            f"POST /v1/worker/lease HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
            f"\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        caller.sendall(head.encode() + body)
        return caller

    def connected(self) -> int:
        """How many callers the server holds a connection with, be they gone or not."""
        found = psutil.Process(self.process.pid).net_connections("tcp4")
        mine = [each for each in found if tuple(each.laddr)[1:] == (self.port,)]
        return sum(each.status != psutil.CONN_LISTEN for each in mine)

    def knows(self, worker: str) -> bool:
        """Has this worker been seen?"""
        _, found = self.ask("GET", "/v1/ops/workers")
        return worker in {each["id"] for each in found["items"]}

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Started for one test."""
    server = Server(tmp_path / "server.log")
    yield server
    server.end()


def test_nothing_is_leased_to_a_caller_who_hung_up(server: Server) -> None:
    callers = [server.hang(f"gone:{n}:a") for n in range(5)]
    until(lambda: server.knows("gone:4:a"))
    for caller in callers:
        caller.close()
    until(lambda: not server.connected())  # it has seen that they are gone

    made = kind_get("external.echo").enqueue(message="for whoever is there")
    status, body = server.lease("here:1:a", wait_s=20)

    assert status == 200
    assert body["jobs"][0]["id"] == str(made.id)
    assert body["jobs"][0]["attempt"] == 1
    assert Job.objects.get().worker == "here:1:a"


def test_a_stop_sends_those_who_wait_home_at_once(server: Server) -> None:
    with ThreadPoolExecutor(4) as pool:
        replies = [pool.submit(server.lease, f"w:{n}:a", 25) for n in range(4)]
        until(lambda: all(server.knows(f"w:{n}:a") for n in range(4)))

        server.process.send_signal(signal.SIGTERM)

        for reply in replies:
            status, body = reply.result(timeout=15)
            assert (status, body["code"]) == (503, "draining")
    assert server.process.wait(timeout=15) in {0, -signal.SIGTERM}
