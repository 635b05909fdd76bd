from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from subscriptions.panel import door
from subscriptions.panel.client import PanelClient
from tests.panels import panel_reached
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand


@pytest.fixture
def panel(sandbox: Sandbox, settings: Settings) -> Iterator[PanelHand]:
    """The panel of the sandbox, and settings that lead there. It is as fast as the test can."""
    with panel_reached(sandbox, settings):
        yield sandbox.panel


@pytest.fixture
def client(panel: PanelHand) -> PanelClient:
    """The client of this process, as jobs of the mirror use it."""
    return door.panel_background()


UseZone = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def use_zone(settings: Settings) -> UseZone:
    """Live in a time zone: the process, Django, and the session of Postgres."""

    @contextmanager
    def use(name: str) -> Iterator[None]:
        before = settings.TIME_ZONE
        with _session_in(name):
            settings.TIME_ZONE = name  # its signal sets TZ of the process too
            try:
                yield
            finally:
                settings.TIME_ZONE = before

    return use


@contextmanager
def _session_in(name: str) -> Iterator[None]:
    before = connection.settings_dict["TIME_ZONE"]
    try:
        _session_zone(name)
        yield
    finally:
        _session_zone(before)


def _session_zone(name: str | None) -> None:
    connection.settings_dict["TIME_ZONE"] = name
    for cached in ("timezone", "timezone_name"):
        connection.__dict__.pop(cached, None)
    connection.ensure_timezone()
