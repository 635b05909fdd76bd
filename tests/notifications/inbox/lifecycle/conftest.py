from collections.abc import Iterator

import pytest
from django_redis import get_redis_connection

from notifications.inbox import publisher
from tests.notifications.inbox.lifecycle.heard import Ear


@pytest.fixture
def committed(clean_redis: None, committed: None) -> None:
    """Real commits and a Redis that holds nothing of us."""


@pytest.fixture
def ear(committed: None) -> Iterator[Ear]:
    """Hears what is published to the inboxes."""
    pubsub = get_redis_connection("default").pubsub()
    heard = Ear(pubsub)
    yield heard
    publisher.stop()
    pubsub.close()
