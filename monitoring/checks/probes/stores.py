"""Looking at Postgres and Redis: over a connection of its own, so that a full server is noticed."""

from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from monitoring.checks.verdicts import LookFailed

_FACTS_MS = (
    2_000  # what it says of itself may take so long; without it the server is well all the same
)
_FACTS = """
SELECT current_setting('server_version'), current_setting('max_connections')::int,
    (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database),
    pg_database_size(current_database())
"""


def postgres_look() -> dict[str, Any]:
    """{"version", "connections", "connections_most", "size_bytes"}. Raises LookFailed.

    A new connection, for those that are open say nothing about who comes next.
    """
    timeout_s = settings.SERVICE_CHECK_TIMEOUT.total_seconds()
    given = {**connection.get_connection_params(), "connect_timeout": max(2, int(timeout_s))}
    try:
        with psycopg.connect(**{**given, "autocommit": True}) as door:
            door.execute("SELECT 1")
            return _facts(door)
    except psycopg.Error as exc:
        raise LookFailed(_said(exc)) from None


def _facts(door: "psycopg.Connection[Any]") -> dict[str, Any]:
    try:
        # Within a transaction: behind a pooler a bare SET would stay with somebody else's session.
        with door.transaction():
            door.execute(f"SET LOCAL statement_timeout = {_FACTS_MS}")
            row = door.execute(_FACTS).fetchone()
    except psycopg.errors.QueryCanceled:
        return {}
    assert row is not None
    return dict(zip(("version", "connections_most", "connections", "size_bytes"), row, strict=True))


def _said(exc: psycopg.Error) -> str:
    """Its last line: of several addresses that were tried, the last."""
    lines = str(exc).strip().splitlines()
    return lines[-1][:500] if lines else type(exc).__name__


_REDIS_FACTS = {
    "redis_version": "version",
    "used_memory": "memory_bytes",
    "maxmemory": "memory_most_bytes",
    "evicted_keys": "evicted",
    "connected_clients": "clients",
    "maxmemory_policy": "policy",
}


def redis_look() -> dict[str, Any]:
    """{"version", "memory_bytes", "memory_most_bytes" (0: no limit), "evicted", "clients", "policy"}.

    Raises LookFailed.
    """
    timeout_s = settings.SERVICE_CHECK_TIMEOUT.total_seconds()
    door = redis.Redis.from_url(
        str(settings.CACHES["default"]["LOCATION"]),
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),  # what fails shall be seen
    )
    try:
        door.ping()
        try:
            said = door.info()
        except redis.ResponseError:  # managed ones may forbid it
            return {}
        return {ours: said[theirs] for theirs, ours in _REDIS_FACTS.items() if theirs in said}
    except redis.RedisError as exc:
        raise LookFailed(str(exc)[:500] or type(exc).__name__) from None
    finally:
        door.close()
