import time
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from subscriptions.panel.door import clients_forget
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server
from tests.subscriptions.lifecycle.people import People

__all__ = ["sandbox", "sandbox_server"]


@pytest.fixture
def panel_on(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """The sandbox panel, which does nothing by itself unless a test says so."""
    settings.REMNAWAVE_URL = sandbox.panel_url
    settings.REMNAWAVE_API_TOKEN = "tests-panel"
    settings.PANEL_RATE = "10000/s"
    settings.RENEW_URL = "https://example.com/renew"
    sandbox.panel.settings(expiry_every_s=1e7, limited_every_s=1e7, bulk_delay_s=0)
    clients_forget()
    yield sandbox
    clients_forget()


@pytest.fixture
def people(panel_on: Sandbox, db: None) -> People:
    """Make people who are in the panel and in the mirror."""
    return People(panel_on.panel)


@pytest.fixture(params=["Europe/Moscow", "America/New_York"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine, and Django, stand in another zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    with timezone.override(request.param):
        yield request.param
    monkeypatch.undo()
    time.tzset()
