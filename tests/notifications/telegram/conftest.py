import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from notifications.telegram.client import TelegramClient
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

TOKEN = "7000000001:AAE-sEcReT_part"
ClientMake = Callable[..., TelegramClient]


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
