"""How the pusher learns of new jobs at once: NOTIFY, Redis behind a transaction pooler, or not at all.

All of them are hints. A lost one costs at most the second until the pusher looks by itself.
"""

import logging
import time
from functools import cache
from typing import Protocol

import psycopg
import redis
from django.conf import settings
from django.db import connection, transaction

CHANNEL = "jobs_wake"

logger = logging.getLogger("jobs.pool")


class Waker(Protocol):
    """Waits for a call."""

    def wait(self, timeout_s: float) -> set[str] | None:
        """Wait for the first call: the kinds that it names, often none; None: nobody called."""

    def close(self) -> None:
        """Let go of the connection."""


class NotifyWaker:
    """LISTEN on a connection of its own. Each insert into the table notifies (sql/table.sql)."""

    def __init__(self) -> None:
        params = connection.get_connection_params()
        params.pop("cursor_factory", None)
        params.pop("context", None)
        self._connection = psycopg.connect(**params, autocommit=True)
        self._connection.execute(f"LISTEN {CHANNEL}")

    def wait(self, timeout_s: float) -> set[str] | None:
        calls = [
            call.payload for call in self._connection.notifies(timeout=timeout_s, stop_after=1)
        ]
        return {name for name in calls if name} if calls else None

    def close(self) -> None:
        self._connection.close()


class RedisWaker:
    """Redis pub/sub, where a pooler between us and Postgres does not pass NOTIFY on."""

    def __init__(self) -> None:
        self._pubsub = redis.Redis.from_url(settings.REDIS_URL).pubsub(  # type: ignore[no-untyped-call]
            ignore_subscribe_messages=True
        )
        self._subscribed = False

    def wait(self, timeout_s: float) -> set[str] | None:
        try:
            if not self._subscribed:  # here and not at first: Redis may be away when we start
                self._pubsub.subscribe(CHANNEL)
                self._subscribed = True
            calls = [self._pubsub.get_message(timeout=timeout_s)]
            while calls[-1] is not None:  # what else has come, as NOTIFY gives it
                calls.append(self._pubsub.get_message(timeout=0))
        except redis.RedisError:
            time.sleep(min(timeout_s, 0.1))
            return None
        found = {call["data"].decode() for call in calls if call is not None}
        return found - {""} if found else None

    def close(self) -> None:
        self._pubsub.close()


class PollWaker:
    """Nobody calls; the pusher looks by itself."""

    def wait(self, timeout_s: float) -> set[str] | None:
        time.sleep(min(timeout_s, 0.05))
        return None

    def close(self) -> None:
        pass


def call_after_commit() -> None:
    """Call the pushers where NOTIFY does not reach them. A Redis that is away costs them a second."""
    if settings.JOBS["wake"] == "redis":
        transaction.on_commit(_publish)


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5)


def _publish() -> None:
    try:
        _redis().publish(CHANNEL, "")
    except redis.RedisError:
        logger.warning("a wake-up was lost: Redis is away; the pool looks each second anyway")


def make_waker() -> Waker:
    """The one that JOB_WAKE names."""
    wakers: dict[str, type[Waker]] = {
        "notify": NotifyWaker,
        "redis": RedisWaker,
        "poll": PollWaker,
    }
    return wakers[settings.JOBS["wake"]]()
