"""A bot that talks to the sandbox as any client does: over HTTP, with an ordinary library."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.panel_api import PanelApi

BOT_ID = 7000000001
SECRET = "AAEsandbox-secret_0001"
TOKEN = f"{BOT_ID}:{SECRET}"
CHAT = 500100201


class Bot:
    """One bot with one pooled connection."""

    def __init__(self, base: str, token: str = TOKEN) -> None:
        self.base = base
        self.token = token
        self.http = requests.Session()
        self.http.trust_env = False

    def post(self, method: str, **parameters: Any) -> requests.Response:
        return self.http.post(self.url(method), json=parameters, timeout=10)

    def send(self, text: str = "hello", *, chat_id: Any = CHAT, **more: Any) -> requests.Response:
        return self.post("sendMessage", chat_id=chat_id, text=text, **more)

    def url(self, method: str) -> str:
        return f"{self.base}/bot{self.token}/{method}"


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Bot]:
    """A bot in front of a fresh sandbox."""
    made = Bot(sandbox.telegram_url)
    yield made
    made.http.close()


@pytest.fixture
def free_bot(sandbox: Sandbox, bot: Bot) -> Bot:
    """A bot without limits, for tests that are about something else."""
    sandbox.limits(enabled=False)
    return bot


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[PanelApi]:
    """A client of the panel of a fresh sandbox."""
    made = PanelApi(sandbox.panel_url)
    yield made
    made.http.close()
