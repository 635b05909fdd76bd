"""A panel in the sandbox that moves only when a test says so, and what people are alerted to."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.alerts import attention_needed
from tests.panels import panel_at_rest
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand


@pytest.fixture
def panel_on(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """The sandbox; settings lead to its panel."""
    with panel_at_rest(sandbox, settings):
        yield sandbox


@pytest.fixture
def panel(panel_on: Sandbox) -> PanelHand:
    """The panel; its own sweeps run when it is told to."""
    return panel_on.panel


@pytest.fixture
def alerts() -> Iterator[list[dict[str, Any]]]:
    """What needed a person, in order."""
    found: list[dict[str, Any]] = []

    def hear(sender: object, **given: Any) -> None:
        found.append({name: value for name, value in given.items() if name != "signal"})

    attention_needed.connect(hear, weak=False)
    yield found
    attention_needed.disconnect(hear)
