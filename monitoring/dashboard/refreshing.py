"""Taking the picture: written as the one row that is the truth, and kept in Redis for who reads often."""

import logging
import time
from datetime import timedelta
from functools import cache
from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import transaction

from jobs import sql
from lib import clock
from monitoring.dashboard.calling import call_after_commit
from monitoring.dashboard.models import Snapshot
from monitoring.dashboard.panel import look_load, panel_look
from monitoring.dashboard.picture.take import picture_take

KEY: str = f"{settings.INBOX_REDIS_PREFIX}dashboard:realtime"
KEPT_S = 90  # in Redis: three pictures
EVENTS_KEPT = timedelta(days=7)
POINTS_KEPT = timedelta(hours=25)
FORGOTTEN = 1_000  # rows at a time

_WRITE = """
INSERT INTO dashboard_snapshot (id, picture, taken_at, took_ms) VALUES (1, %s::jsonb, %s, %s)
ON CONFLICT (id) DO UPDATE SET picture = EXCLUDED.picture, taken_at = EXCLUDED.taken_at,
    took_ms = EXCLUDED.took_ms
"""

logger = logging.getLogger("switchboard.dashboard")


def snapshot_refresh() -> dict[str, Any]:
    """Take a picture, and call the screens. Returns {"took_ms", "panel", "events", "points"}.

    The panel is asked first, outside of any transaction, and at most once. Repeat: a newer picture.
    Two at a time: the later one stays. A Redis that is away costs nothing but the copy.
    """
    kept = Snapshot.objects.filter(pk=1).values_list("picture__panel", flat=True).first()
    look = panel_look(look_load(kept))
    began, now = time.perf_counter(), clock.now()
    with transaction.atomic():
        picture = picture_take(look, now)
        text = orjson.dumps(picture, option=orjson.OPT_UTC_Z)
        took_ms = (time.perf_counter() - began) * 1000
        sql.run(_WRITE, [text.decode(), now, took_ms])
        call_after_commit()
        transaction.on_commit(lambda: _copy(text))
    return {
        "took_ms": round(took_ms, 1),
        "panel": "off" if look is None else look.error or "answered",
        "forgotten": _forget(),
    }


def _forget() -> int:
    """Delete what is older than anybody looks at. Returns how many rows."""
    now = clock.now()
    return sum(
        sql.run(
            f"""DELETE FROM {table} WHERE at IN (
                SELECT at FROM {table} WHERE at < %s ORDER BY at LIMIT %s)""",
            [now - kept, FORGOTTEN],
        )
        for table, kept in (("platform_event", EVENTS_KEPT), ("dashboard_point", POINTS_KEPT))
    )


@cache
def redis_client() -> redis.Redis:
    """The connection of this process to the copy."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5)


def _copy(text: bytes) -> None:
    try:
        redis_client().set(KEY, text, ex=KEPT_S)
    except redis.RedisError as exc:
        logger.info("redis is away (%s): the dashboard is read from its row", type(exc).__name__)
