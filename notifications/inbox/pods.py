"""Web processes that hold sockets: each says that it lives, and whoever is silent is reaped.

A row per pod in Postgres, and its last beat in the hash `notif:pods:hb` for others who look there.
"""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from notifications.inbox import keys

BEAT = timedelta(seconds=30)
SILENT = BEAT * 3  # then it is taken for dead

logger = logging.getLogger("switchboard.inbox")


def pod_beat(*, address: str, connections: int, users: int, draining: bool) -> bool:
    """Say that this pod lives. False if nobody knew of it: it is new, or was reaped meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_pod (pod_id, started_at, beat_at, address, connections, users,"
            " draining, version) VALUES (%(pod)s, now(), now(), %(address)s, %(connections)s,"
            " %(users)s, %(draining)s, %(version)s)"
            " ON CONFLICT (pod_id) DO UPDATE SET beat_at = now(), address = excluded.address,"
            " connections = excluded.connections, users = excluded.users,"
            " draining = excluded.draining, version = excluded.version"
            " RETURNING xmax <> 0",
            {
                "pod": settings.POD_ID,
                "address": address,
                "connections": connections,
                "users": users,
                "draining": draining,
                "version": settings.VERSION,
            },
        )
        found = cursor.fetchone()
    _tell_redis()
    return bool(found and found[0])


def pod_count(*, connections: int, users: int) -> None:
    """Say how many this pod holds now, between two beats."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inbox_pod SET connections = %s, users = %s WHERE pod_id = %s",
            [connections, users, settings.POD_ID],
        )


def pod_leave() -> None:
    """This pod stops: its row and those of its sockets go."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM inbox_client WHERE pod_id = %(pod)s)"
            " DELETE FROM inbox_pod WHERE pod_id = %(pod)s",
            {"pod": settings.POD_ID},
        )
    _forget_in_redis([settings.POD_ID])


def pods_reap() -> dict[str, int]:
    """Delete pods that have been silent for three beats, with their sockets, and tickets of the past.

    A pod that was only slow says so with its next beat, and writes its sockets again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM inbox_pod WHERE beat_at < now() - make_interval(secs => %s) RETURNING pod_id",
            [SILENT.total_seconds()],
        )
        silent = [pod_id for (pod_id,) in cursor.fetchall()]
        # Also sockets of pods that have no row at all, once those had time to make one.
        cursor.execute(
            "DELETE FROM inbox_client AS c WHERE connected_at < now() - make_interval(secs => %s)"
            " AND NOT EXISTS (SELECT FROM inbox_pod AS p WHERE p.pod_id = c.pod_id)"
            " OR c.pod_id = ANY(%s)",
            [SILENT.total_seconds(), silent],
        )
        clients = cursor.rowcount
        cursor.execute(
            "DELETE FROM inbox_usedticket WHERE expires_at < now() - interval '1 minute'"
        )
        used_tickets = cursor.rowcount
    if silent:
        logger.warning("inbox: silent pods are reaped: %s", ", ".join(silent))
        _forget_in_redis(silent)
    return {"pods": len(silent), "clients": clients, "tickets": used_tickets}


def _tell_redis() -> None:
    try:
        get_redis_connection("default").hset(keys.PODS, settings.POD_ID, int(time.time()))
    except RedisError as exc:
        logger.debug("inbox: redis does not hear the beat: %s", type(exc).__name__)


def _forget_in_redis(pod_ids: list[str]) -> None:
    try:
        get_redis_connection("default").hdel(keys.PODS, *pod_ids)
    except RedisError as exc:
        logger.debug("inbox: redis keeps dead pods for now: %s", type(exc).__name__)
