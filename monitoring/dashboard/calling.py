"""Calling the web processes: there is something new to show. A hint, published through Redis.

A thread per process publishes, so that who has committed never waits for Redis. A call that is lost
costs the screens a second: then they look by themselves (monitoring.dashboard.watch).
"""

import atexit
import logging
import os
import time
from functools import partial

import redis
from django.conf import settings
from django.db import transaction

from lib.clerk import Clerk

CHANNEL: str = f"{settings.INBOX_REDIS_PREFIX}dashboard:call"
PAUSE_S = 1.0  # after Redis has failed, calls are dropped for so long
IDLE_S = 30.0  # then the connection is given back

logger = logging.getLogger("switchboard.dashboard")


class Caller(Clerk[None]):
    """Publishes one call for all that gathered while it published the one before."""

    name = "dashboard-call"

    def reset(self) -> None:
        """Start from nothing, as a child does whose parent keeps the thread."""
        super().reset()
        self._redis: redis.Redis | None = None
        self._away_until: float | None = None  # time.monotonic(); None: not away

    def _turn(self) -> bool:
        calls = self._take(IDLE_S if self._redis else None)
        if not calls:
            self._close()
        elif self._away_until is None or time.monotonic() >= self._away_until:
            self._publish()
        return True

    def _close(self) -> None:
        if self._redis is not None:
            self._redis.close()
            self._redis = None

    def _publish(self) -> None:
        if self._redis is None:
            self._redis = redis.Redis.from_url(
                settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5
            )
        try:
            self._redis.publish(CHANNEL, b"")
        except redis.RedisError as exc:
            if self._away_until is None:
                logger.warning("redis is away (%s): screens look by themselves", type(exc).__name__)
            self._away_until = time.monotonic() + PAUSE_S
        else:
            self._away_until = None


_caller = Caller()
os.register_at_fork(after_in_child=_caller.reset)


def call() -> None:
    """Call all web processes soon, from another thread. Never blocks and never raises."""
    _caller.add(None)


def call_after_commit() -> None:
    """Call them once the transaction is committed; at once if there is none."""
    transaction.on_commit(call)


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until what was called so far is published or dropped. False: it takes longer."""
    return _caller.flush(timeout_s)


atexit.register(partial(_caller.stop, 1.0))
