import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs import breakers, stats
from notifications.telegram import sending
from notifications.telegram.client import TelegramClient
from tests.sandbox.fixture import Sandbox

TOKEN = "7000000001:AAE-sEcReT_part"
ClientMake = Callable[..., TelegramClient]


@pytest.fixture(autouse=True)
def no_counting_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enqueues are counted by a thread, which would reach for the database after the test."""
    monkeypatch.setattr(stats, "_flusher", threading.Timer(0, stats.flush))  # never started
    yield
    stats._pending.clear()


@pytest.fixture
def telegram_make(sandbox: Sandbox) -> Iterator[ClientMake]:
    """Make clients of the sandbox: telegram_make(token=..., read_timeout_s=...)."""
    made: list[TelegramClient] = []

    def make(token: str = TOKEN, **options: Any) -> TelegramClient:
        client = TelegramClient(
            options.pop("base_url", sandbox.telegram_url),
            token,
            **{"connect_timeout_s": 5.0, "read_timeout_s": 10.0, **options},
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def telegram(telegram_make: ClientMake) -> TelegramClient:
    return telegram_make()


@pytest.fixture
def refused_port() -> Iterator[int]:
    """A port that is ours, but on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@pytest.fixture
def bot(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """The lane speaks to the sandbox, as fast as the test can. One admin: chat 1."""
    settings.TELEGRAM_API_URL = sandbox.telegram_url
    settings.TELEGRAM_BOT_TOKEN = TOKEN
    settings.TELEGRAM_RATE = 1000
    settings.ADMIN_TELEGRAM_IDS = [1]
    sandbox.limits(enabled=False)
    _forget_processwide()
    yield sandbox
    _forget_processwide()


def _forget_processwide() -> None:
    """What a process keeps besides the tables: its client, and what it last saw of a breaker."""
    if sending.client.cache_info().currsize:
        sending.client().close()
    sending.client.cache_clear()
    breakers._cached().clear()
