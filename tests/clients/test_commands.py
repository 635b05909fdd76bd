"""`make client` and `make sender` as processes, against a real web process."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from config.accounts import service_account_create
from tests.browser.inbox_pod import ROOT, Backend, Pod, environment

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]

MAY = ("inbox.send_notification", "inbox.view_notification", "inbox.issue_ticket")
Start = Callable[..., "Terminal"]


class Terminal:
    """A command whose lines are read while it runs."""

    def __init__(self, module: str, *words: str, **variables: str) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=ROOT, env={**os.environ, **variables},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def line(self, part: str) -> str:
        """The next line that holds the part."""
        while part not in (found := self._lines.get(timeout=60)):
            pass
        return found

    def end(self) -> tuple[int, list[str]]:
        """Status, and what was printed since the last look."""
        status = self.process.wait(timeout=60)
        self._reading.join()
        assert self.process.stdout
        self.process.stdout.close()
        return status, list(self._lines.queue)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.rstrip())


@pytest.fixture
def token() -> str:
    return service_account_create(name="shop", permissions=MAY, lifetime=timedelta(hours=1)).token


@pytest.fixture
def pod() -> Iterator[Pod]:
    made = Pod(environment())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def backend(pod: Pod, token: str) -> Iterator[Backend]:
    made = Backend(pod, token)
    yield made
    made.close()


@pytest.fixture
def start(pod: Pod, token: str) -> Iterator[Start]:
    """Start a command: start("inbox_sender", "Hello", DEV_USER_ID="2")."""
    started: list[Terminal] = []

    def begin(name: str, *words: str, **variables: Any) -> Terminal:
        known = {"DEV_URL": pod.url, "DEV_TOKEN": token, "DEV_USER_ID": "1", "DEV_LOGIN": "alice"}
        started.append(Terminal(f"clients.{name}", *words, **{**known, **variables}))
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.end()


def test_what_the_sender_sends_the_client_prints_and_reads(start: Start, backend: Backend) -> None:
    client = start("inbox_client", DEV_ACK_S="0.1")
    client.line("connected as 1-alice: 0 unread")
    status, printed = start("inbox_sender", "Hello", "--count", "2", "--interval", "0").end()
    assert (status, len(printed)) == (0, 2)
    for n in (1, 2):
        assert "[unread]" in client.line(f"make-sender: Hello {n}")
    for line in printed:
        client.line(f"read: {line.split()[0]}")
    assert backend.history() == [("Hello 1", "read"), ("Hello 2", "read")]


def test_who_was_away_gets_what_waited_and_the_rest_as_read(start: Start, backend: Backend) -> None:
    first = start("inbox_client", DEV_ACK_S="0")
    first.line("connected")
    backend.send("seen")
    first.line("read: ")
    first.process.send_signal(signal.SIGINT)
    assert first.end()[0] == 0
    backend.send("waiting")
    second = start("inbox_client", DEV_ACK_S="0")
    second.line("connected as 1-alice: 1 unread")
    assert "[unread]" in second.line("order-service: waiting")
    assert "[read]" in second.line("order-service: seen")


def test_the_client_outlives_a_server_that_is_killed(
    start: Start, backend: Backend, pod: Pod
) -> None:
    client = start("inbox_client", DEV_ACK_S="0")
    client.line("connected")
    backend.send("before")
    client.line("read: ")
    pod.kill()
    client.line("the connection ended (1006); again in")
    pod.start()
    sent = backend.send("after")
    assert "[unread]" in client.line("order-service: after")
    client.line(f"read: {sent}")
    assert [status for _, status in backend.history()] == ["read", "read"]


def test_a_read_that_could_not_be_sent_is_sent_later(
    start: Start, backend: Backend, pod: Pod
) -> None:
    client = start("inbox_client", DEV_ACK_S="4")
    client.line("connected")
    sent = backend.send("before")
    client.line("order-service: before")
    pod.kill()
    client.line("no connection")
    pod.start()
    client.line(f"read: {sent}")
    assert backend.history() == [("before", "read")]


def test_who_is_refused_is_told_why(start: Start) -> None:
    status, printed = start("inbox_client", DEV_TOKEN="").end()
    assert status == 1
    assert "4401" in printed[-1]
    assert "DEV_TOKEN" in printed[-1]
    status, printed = start("inbox_client", DEV_TOKEN="x" * 64).end()
    assert status == 1
    assert "401" in printed[-1]
    status, printed = start("inbox_sender", DEV_TOKEN="").end()
    assert status == 1
    assert "401" in printed[-1]
