"""A real browser against a real server: uvicorn in a process of its own, Debian's chromium.

Playwright's loop runs in the thread of the test, where Django's ORM then refuses to work: what a test
does to the database meanwhile goes through `meanwhile`.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import Client
from playwright.sync_api import (
    Browser,
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


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's chromium (apt-get install chromium), or the one that CHROMIUM names."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "no chromium: apt-get install chromium, or name one in CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        )  # fmt: skip
        yield browser
        browser.close()


Open = Callable[..., Page]
Enter = Callable[..., Page]

# Chromium tells a lost or refused connection as an error of the page.
_EXPECTED = re.compile("Failed to load resource|WebSocket connection to")
_OPENING = ("inbox.send_notification", "inbox.change_notification", "inbox.view_notification")


@pytest.fixture
def open_page(site: str, committed: None) -> Iterator[Open]:
    """A window in which nobody is logged in: open_page(NARROW). Errors of its scripts fail the test.

    The browser starts with the first window, and ends before the database is emptied: while its loop
    runs the ORM cannot be used in this thread.
    """
    started = ExitStack()
    browsers: list[Browser] = []
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # An answer of 422 or 403 is one of ours, and chromium tells it as an error.
        if message.type == "error" and "Failed to load resource" not in message.text:
            errors.append(message.text)

    def make(viewport: ViewportSize = WIDE) -> Page:
        if not browsers:
            browsers.append(started.enter_context(chromium()))
        page = browsers[0].new_page(viewport=viewport, base_url=site)
        page.set_default_timeout(20_000)
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    with started:
        yield make
    assert errors == []


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
def staff(committed: None) -> Callable[..., str]:
    """The key of a session: staff("olga", "Operator")."""

    def make(name: str, *groups: str, **fields: Any) -> str:
        user = User.objects.create_user(name, **{"is_staff": True, **fields})
        user.groups.set(Group.objects.filter(name__in=groups))
        client = Client()
        client.force_login(user)
        return str(client.cookies[settings.SESSION_COOKIE_NAME].value)

    return make


@pytest.fixture
def enter(pod: Pod, backend: Backend, staff: Callable[..., str]) -> Iterator[Enter]:
    """A window at the console, as an admin: enter(), enter("/?inbox=1-alice", NARROW).

    The ORM cannot be used once the first window is open. Errors of scripts fail the test.
    """
    keys = {"admin": staff("olga", is_superuser=True), "nobody": staff("nina"), "stranger": ""}
    started = ExitStack()
    browsers: list[Browser] = []
    errors: list[str] = []

    def note(kind: str, text: str) -> None:
        if kind == "error" and not _EXPECTED.search(text):
            errors.append(text)

    def make(path: str = "/", viewport: ViewportSize = WIDE, who: str = "admin") -> Page:
        if not browsers:
            browsers.append(started.enter_context(chromium()))
        context = browsers[0].new_context(viewport=viewport, base_url=pod.url)
        if keys[who]:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": keys[who], "url": pod.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: note(message.type, message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    with started:
        yield make
    assert errors == []
