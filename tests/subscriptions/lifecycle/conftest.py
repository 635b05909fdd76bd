import time
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.sandbox.fixture import Sandbox
from tests.subscriptions.lifecycle.people import People


@pytest.fixture
def panel_on(panel_on: Sandbox, settings: Settings) -> Sandbox:
    """The panel, and where people renew."""
    settings.RENEW_URL = "https://example.com/renew"
    return panel_on


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
