"""What every test of the broadcasts stands on."""

from collections.abc import Iterator

import pytest

from notifications.inbox import publisher, writer
from tests.notifications.telegram.conftest import bot

__all__ = ["bot"]


@pytest.fixture(autouse=True)
def own_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """The threads of one test end with it, before the tables are emptied."""
    if "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db")
    yield
    writer.stop()
    publisher.stop()
