"""Alerts over the sandbox of Telegram. One admin: chat 1."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from jobs import breakers
from notifications.telegram import sending
from payments.intake import flood
from tests.monitoring.alerts.rows import SECRET
from tests.sandbox.fixture import Sandbox

TOKEN = "7000000001:AAE-sEcReT_part"


@pytest.fixture(autouse=True)
def admins(settings: Settings) -> Settings:
    """There is a bot, and somebody to tell; presses of buttons would be believed."""
    settings.TELEGRAM_BOT_TOKEN = TOKEN
    settings.ADMIN_TELEGRAM_IDS = [1]
    settings.ALERT_ESCALATION_IDS = []
    settings.TELEGRAM_WEBHOOK_SECRET = SECRET
    settings.SITE_URL = "http://127.0.0.1:8000"
    settings.TELEGRAM_LANGUAGE = "en"
    flood.unsigned.clear()
    return settings


@pytest.fixture
def bot(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """The bot speaks to the sandbox, as fast as the test can."""
    settings.TELEGRAM_API_URL = sandbox.telegram_url
    settings.TELEGRAM_RATE = 1000
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
