"""Listening to what is published, and holding back what is written."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as active

from notifications.inbox import keys, publisher
from notifications.inbox.accept import accept
from tests.notifications.inbox.core.play import ALICE, draft, person
from tests.races.parties import parties


class Ear:
    """Hears what is published about people, as a hub does."""

    def __init__(self) -> None:
        self.redis = redis.Redis.from_url(active.REDIS_URL)
        self._pubsub = self.redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._pubsub.psubscribe(f"{active.INBOX_REDIS_PREFIX}inbox:*")
        self._pubsub.get_message(timeout=5)  # the confirmation: from now on nothing is missed

    def heard(self) -> list[tuple[int, int, str, str, str]]:
        """(position, prev, kind, notification id, frame) of all that was published so far."""
        assert publisher.flush(20)
        # What was published before this word of ours is here before it.
        self.redis.publish(keys.channel(0), "end")
        found: list[tuple[int, int, str, str, str]] = []
        while True:
            message = self._pubsub.get_message(timeout=10)
            assert message is not None
            if message["data"] == b"end":
                return found
            head, frame = message["data"].decode().split("\n", 1)
            position, prev, kind, each_id = head.split(" ")
            found.append((int(position), int(prev), kind, each_id, frame))

    def close(self) -> None:
        self._pubsub.close()
        self.redis.close()


@pytest.fixture
def ear(transactional_db: None, clean_redis: None) -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


@pytest.fixture
def alice(transactional_db: None) -> int:
    return person().pk


@pytest.fixture
def gate() -> Iterator[Any]:
    """Holds the inbox of alice: what is submitted for her waits, and others gather behind it."""
    with parties() as begin:
        yield lambda: begin(lambda: accept([draft(ALICE)])).wait()
