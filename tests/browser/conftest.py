"""A real browser against a real server: uvicorn in a process of its own, Debian's chromium.

Playwright's loop runs in the thread of the test, where Django's ORM then refuses to work: what a test
does to the database meanwhile goes through `meanwhile`.
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import Client
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from config.accounts import service_account_create
from tests.browser.inbox_pod import ROOT, Backend, Pod, environment

T = TypeVar("T")

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}

expect.set_options(
    timeout=20_000
)  # a condition is waited for; how fast it comes true proves nothing


@pytest.fixture(scope="session")
def site(django_db_setup: None) -> Iterator[str]:
    """The address of the whole site, served by uvicorn on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        # The socket listens already, so nobody has to wait until the server is up.
        process = subprocess.Popen(
            [
                sys.executable, "-m", "uvicorn", "config.asgi:application",
                "--fd", str(listening.fileno()), "--log-level", "warning",
            ],
            pass_fds=[listening.fileno()],
            cwd=ROOT,
            env=environment(),
        )  # fmt: skip
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


class Chromium:
    """Debian's chromium (apt-get install chromium), or the one that CHROMIUM names; one for all tests.

    Playwright leaves its loop marked as running in the thread that called it, though none of it runs
    between two calls, and Django then refuses the ORM. `sleep` takes the mark away, `wake` puts it back.
    """

    def __init__(self) -> None:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        assert path, "no chromium: apt-get install chromium, or name one in CHROMIUM"
        self._playwright = sync_playwright().start()
        self._loop = asyncio.get_running_loop()
        self.browser = self._playwright.chromium.launch(
            executable_path=path,
            args=[
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        )  # fmt: skip
        self.sleep()

    def wake(self) -> None:
        asyncio._set_running_loop(self._loop)

    def sleep(self) -> None:
        asyncio._set_running_loop(None)

    def close(self) -> None:
        self.wake()
        self.browser.close()
        self._playwright.stop()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Chromium]:
    made = Chromium()
    yield made
    made.close()


class Windows:
    """Windows that know nothing of each other, and what their scripts told as errors."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []
        self.errors: list[str] = []

    def open(self, url: str, viewport: ViewportSize, session: str, expected: str) -> Page:
        """A window without a page, of whom the key of a session says. Errors may be `expected`."""
        self._chromium.wake()
        context = self._chromium.browser.new_context(viewport=viewport, base_url=url)
        self._contexts.append(context)
        if session:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}
            context.add_cookies([cookie])  # type: ignore[list-item]

        def note(message: ConsoleMessage) -> None:
            if message.type == "error" and not re.search(expected, message.text):
                self.errors.append(message.text)

        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def close(self) -> None:
        try:
            for context in self._contexts:
                context.close()
        finally:
            self._chromium.sleep()


@pytest.fixture
def windows(chromium: Chromium, committed: None) -> Iterator[Windows]:
    """The windows of one test, gone before the tables are emptied. Errors of scripts fail the test."""
    made = Windows(chromium)
    yield made
    made.close()
    assert made.errors == []


Open = Callable[..., Page]
Staff = Callable[..., str]
Enter = Callable[..., Page]

# Chromium tells an answer of 422 or 403, which is one of ours, as an error of the page; a connection
# that is lost or refused too.
_REFUSED = "Failed to load resource"
_LOST = "Failed to load resource|WebSocket connection to"
_OPENING = ("inbox.send_notification", "inbox.change_notification", "inbox.view_notification")


@pytest.fixture
def open_page(site: str, windows: Windows) -> Open:
    """A window at the site: open_page(), open_page(NARROW), open_page(session=staff("olga"))."""

    def make(viewport: ViewportSize = WIDE, session: str = "") -> Page:
        return windows.open(site, viewport, session, _REFUSED)

    return make


@pytest.fixture
def meanwhile() -> Iterator[Callable[[Callable[[], T]], T]]:
    """Do something to the database while a page is open: meanwhile(lambda: quiet.enqueue())."""
    with ThreadPoolExecutor(max_workers=1) as pool:

        def do(work: Callable[[], T]) -> T:
            return pool.submit(work).result(timeout=30)

        yield do
        do(connections.close_all)


@pytest.fixture
def pod(committed: None) -> Iterator[Pod]:
    made = Pod(environment())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def backend(pod: Pod) -> Iterator[Backend]:
    issued = service_account_create(name="shop", permissions=_OPENING, lifetime=timedelta(hours=1))
    made = Backend(pod, issued.token)
    yield made
    made.close()


@pytest.fixture
def staff(committed: None) -> Staff:
    """The key of a session: staff("olga", "Operator")."""

    def make(name: str, *groups: str, **fields: Any) -> str:
        user = User.objects.create_user(name, **{"is_staff": True, **fields})
        user.groups.set(Group.objects.filter(name__in=groups))
        client = Client()
        client.force_login(user)
        return str(client.cookies[settings.SESSION_COOKIE_NAME].value)

    return make


@pytest.fixture
def enter(pod: Pod, backend: Backend, staff: Staff, windows: Windows) -> Enter:
    """A window at the console, as an admin: enter(), enter("/?inbox=1-alice", NARROW).

    The ORM cannot be used once the first window is open.
    """
    keys = {"admin": staff("olga", is_superuser=True), "nobody": staff("nina"), "stranger": ""}

    def make(path: str = "/", viewport: ViewportSize = WIDE, who: str = "admin") -> Page:
        page = windows.open(pod.url, viewport, keys[who], _LOST)
        page.goto(path)
        return page

    return make
