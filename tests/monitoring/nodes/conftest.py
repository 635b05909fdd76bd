"""A panel with servers."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from lib import clock
from monitoring.alerts.services import alert_raise
from monitoring.nodes.collecting import slot_of
from monitoring.nodes.locating import nodes_locate
from monitoring.nodes.models import Node, NodeConfigChange
from monitoring.nodes.rollup import hours_roll
from tests.monitoring.nodes.rows import (
    HOUR,
    MINUTE,
    NL,
    hour_make,
    look,
    node_make,
    sample_make,
    state_make,
)
from tests.panels import panel_reached
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand

_CONFIG = {
    "name": "NL",
    "tags": ["EU"],
    "provider": "Example Hosting",
    "inbounds": [{"tag": "VLESS"}],
}
Turn = Callable[[str, timedelta], Any]


@pytest.fixture
def panel(sandbox: Sandbox, settings: Settings) -> Iterator[PanelHand]:
    """The panel of the sandbox, and settings that lead there. It is as fast as the test can."""
    with panel_reached(sandbox, settings):
        yield sandbox.panel


@pytest.fixture
def turn(sandbox: Sandbox, panel: PanelHand) -> Turn:
    """The first server gets into a state, so long from now by everybody's clock, and is looked at."""
    began = timedelta(0)

    def move(state: str, after: timedelta) -> Any:
        nonlocal began
        sandbox.clock_advance((after - began).total_seconds())
        began = after
        panel.node(str(NL), state=state)
        return look(after)

    return move


@pytest.fixture
def full(db: None) -> Node:
    """A server of which everything is known."""
    row = node_make(
        1, name="NL-Amsterdam-1", provider="Example Hosting", tags=["EU"], cpus=4, load_1m=0.4,
        memory_used_bytes=3 << 30, memory_total_bytes=8 << 30, monthly_cost="12.50",
        cost_currency="EUR", config=_CONFIG,
        config_hash="ab" * 32, configured_at=clock.now(),
    )  # fmt: skip
    state_make(row, "offline", 30 * HOUR, 29 * HOUR)
    for number in range(40):
        at = slot_of(clock.now()) - number * 5 * MINUTE
        sample_make(row.pk, at, users_online=39)
    hours_roll()
    for back in (30, 31):
        hour_make(row, clock.now().replace(minute=0, second=0, microsecond=0) - back * HOUR)
    NodeConfigChange.objects.create(
        node=row, at=clock.now(), config_hash="ab" * 32,
        changes=[
            {"field": "tags", "was": [], "is": ["EU"]},
            {"field": "traffic_limit_bytes", "was": 0, "is": 1 << 40},
        ],
    )  # fmt: skip
    alert_raise(rule="node_silent", key=str(row.pk), severity="warning", title="Far fewer people")
    nodes_locate()
    return row
