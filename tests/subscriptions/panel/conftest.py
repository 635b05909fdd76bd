from collections.abc import Iterator

import pytest

from subscriptions.panel.client import PanelClient
from tests.subscriptions.panel import bodies
from tests.subscriptions.panel.stage import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A panel of v3 whose answers the test writes."""
    with Stage() as stage:
        yield stage


@pytest.fixture
def client(stage: Stage) -> Iterator[PanelClient]:
    client = stage.client()
    yield client
    client.close()


@pytest.fixture
def stage_v2() -> Iterator[Stage]:
    """A panel of v2.8."""
    with Stage(bodies.METADATA_V28) as stage:
        yield stage


@pytest.fixture
def client_v2(stage_v2: Stage) -> Iterator[PanelClient]:
    client = stage_v2.client()
    yield client
    client.close()
