"""What the console of Telegram tells from settings."""

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def lane_on(settings: Settings) -> None:
    """The lane could send, so that no page says that it is off."""
    settings.NOTIFICATION_ENABLED = True
    settings.TELEGRAM_BOT_TOKEN = "7000000001:secret"
    settings.ADMIN_TELEGRAM_IDS = [1, 2]
