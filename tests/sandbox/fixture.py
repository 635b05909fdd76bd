"""The sandbox for tests: a real process, and the words to order and read back what happens there.

Every test has them; a file of processes imports them once more, for a sandbox that no other file knows.
"""

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import pytest
import requests

from tests.sandbox.cryptopay.hand import PayHand
from tests.sandbox.remnawave.hand import PanelHand

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 10.0
PAGE_SIZE = 5000
POLL_S = 0.02

T = TypeVar("T")


class SandboxFailed(RuntimeError):
    """The sandbox did not start, or refused an order; the text says why."""


class Sandbox:
    """One sandbox process on a free port. Usable as a context manager; safe to stop twice."""

    def __init__(self, *, port: int = 0) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PORT"}
        # The pipe to its stdin closes with this process, however that ends: no orphan stays behind.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox", "--port", str(port), "--stop-with-stdin"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._http = requests.Session()
        self._http.trust_env = False
        self.pay = PayHand(self._call)
        self.panel = PanelHand(self._call)
        try:
            self.url = self._read_url()
        except BaseException:
            self.stop()
            raise

    @property
    def telegram_url(self) -> str:
        """The base before /bot<token>/, as TELEGRAM_API_URL wants it."""
        return self.url

    @property
    def cryptopay_url(self) -> str:
        """The base before /api/<method>, as CRYPTOBOT_API_URL wants it."""
        return f"{self.url}/cryptopay"

    @property
    def panel_url(self) -> str:
        """The base before /api/, as REMNAWAVE_URL wants it."""
        return f"{self.url}/remnawave"

    @property
    def pid(self) -> int:
        return self._process.pid

    def messages(self, chat_id: int | None = None, *, after_id: int = 0) -> list[dict[str, Any]]:
        """All kept messages, oldest first, or those of a chat."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._call(
                "GET",
                "telegram/messages",
                query={"chat_id": chat_id, "after_id": after_id, "limit": PAGE_SIZE},
            )["messages"]
            found += page
            if len(page) < PAGE_SIZE:
                return found
            after_id = page[-1]["message_id"]

    def stats(self) -> dict[str, Any]:
        """Counters of Telegram: received, delivered, by_status, limited, duplicates, ..."""
        return self._call("GET", "telegram/stats")

    def requests(self, limit: int = 100) -> list[dict[str, Any]]:
        """The last raw requests, newest first."""
        found: list[dict[str, Any]] = self._call("GET", "requests", query={"limit": limit})[
            "requests"
        ]
        return found

    def document(self, file_id: str) -> bytes:
        """The bytes of an uploaded document."""
        answer = self._http.get(
            f"{self.url}/_sandbox/telegram/documents/{file_id}", timeout=CALL_TIMEOUT_S
        )
        if not answer.ok:
            raise SandboxFailed(f"document {file_id}: {answer.text}")
        return answer.content

    def fault(self, *, service: str = "telegram", **order: Any) -> dict[str, Any]:
        """Order a fault; fields as in tests.sandbox.faults. Returns it with its id."""
        return self._call("POST", "faults", {"service": service, **order})

    def faults(self) -> list[dict[str, Any]]:
        """Ordered faults with their strikes so far, also the last spent ones."""
        found: list[dict[str, Any]] = self._call("GET", "faults")["faults"]
        return found

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def behave(self, chat_id: int | Iterable[int], behaviour: str, **more: int) -> None:
        """Set how one chat, many, or a range of chats behave; more is migrate_to."""
        order: dict[str, Any] = {"behaviour": behaviour, **more}
        if isinstance(chat_id, int):
            self._call("PUT", f"telegram/chats/{chat_id}", order)
        elif isinstance(chat_id, range) and len(chat_id) > 0 and chat_id.step > 0:
            bounds = {"from": chat_id.start, "to": chat_id[-1], "step": chat_id.step}
            self._call("PUT", "telegram/chats", order | bounds)
        else:
            self._call("PUT", "telegram/chats", order | {"chat_ids": list(chat_id)})

    def limits(self, **changes: Any) -> dict[str, Any]:
        """Change limits (enabled=False switches all off) and return those in force."""
        return self._call("PUT", "limits", changes)

    def revoke(self, bot_id: int, secret: str | None = None) -> None:
        """Refuse a bot's secret, or all of them, with 401."""
        self._call("PUT", f"telegram/bots/{bot_id}", {"revoked": True, "secret": secret})

    def restore(self, bot_id: int) -> None:
        self._call("PUT", f"telegram/bots/{bot_id}", {"revoked": False})

    def press(self, chat_id: int, button: str, **more: Any) -> dict[str, Any]:
        """Press a button (its label, a part of it, or its data) of the last message that has one.

        The update is posted and its answer waited for; more as in telegram.control. Returns the press.
        """
        return self._call("POST", "telegram/press", {"chat_id": chat_id, "button": button, **more})

    def press_again(self, query_id: str) -> dict[str, Any]:
        """Post the update of a press once more."""
        return self._call("POST", "telegram/press", {"again": query_id})

    def presses(self) -> list[dict[str, Any]]:
        """All presses, oldest first, with what the bot answered."""
        found: list[dict[str, Any]] = self._call("GET", "telegram/press")["presses"]
        return found

    def presses_to(self, url: str, secret: str) -> None:
        """Where presses of buttons are posted, and with which secret."""
        self._call("PUT", "telegram/webhook", {"url": url, "secret": secret})

    def clock_advance(self, seconds: float) -> dict[str, Any]:
        """Move the clock of all services on; returns {"offset_s", "now"}."""
        return self._call("PUT", "clock", {"advance_s": seconds})

    def clock_set(self, offset_s: float) -> dict[str, Any]:
        """Let the clock of all services stand offset_s ahead of real time."""
        return self._call("PUT", "clock", {"offset_s": offset_s})

    def clock(self) -> dict[str, Any]:
        """{"offset_s": seconds, "now": ISO time}."""
        return self._call("GET", "clock")

    def reset(self, service: str | None = None) -> None:
        """Forget messages, faults, behaviours and counters, and restore the limits."""
        self._call("POST", "reset", {"service": service} if service else {})

    def wait_for(self, condition: Callable[[], T], timeout_s: float = 10) -> T:
        """Ask again and again until the condition is true, and return what it gave.

        Raises TimeoutError with the counters, so that a failing test tells what did arrive.
        """
        ends_at = time.monotonic() + timeout_s
        pause = threading.Event()
        while not (value := condition()):
            if time.monotonic() >= ends_at:
                raise TimeoutError(f"not within {timeout_s} s; sandbox: {self.stats()}")
            pause.wait(POLL_S)
        return value

    def stop(self) -> None:
        """End the process and close what belongs to it."""
        self._http.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _read_url(self) -> str:
        stdout = self._process.stdout
        assert stdout is not None  # it was asked for
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(START_TIMEOUT_S):
                raise SandboxFailed(f"the sandbox was not ready within {START_TIMEOUT_S} s")
        words = stdout.readline().split()
        if words[:2] != ["sandbox", "ready"]:
            raise SandboxFailed(f"the sandbox ended at its start with code {self._process.wait()}")
        return words[2]

    def _call(
        self,
        http_method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> dict[str, Any]:
        answer = self._http.request(
            http_method,
            f"{self.url}/_sandbox/{path}",
            json=body,
            params=query,
            timeout=timeout_s,
        )
        if not answer.ok:
            raise SandboxFailed(f"{http_method} {path}: {answer.text}")
        content: dict[str, Any] = answer.json()
        return content


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """One sandbox process for the whole run."""
    with Sandbox() as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Sandbox:
    """The sandbox as if freshly started; limits are on, as in the real world."""
    sandbox_server.reset()
    return sandbox_server
