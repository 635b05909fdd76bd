"""The last picture, for who shows it: from Redis where it is fresh there, else from its row."""

import json
from datetime import datetime, timedelta
from typing import Any

import orjson
import redis

from lib import clock
from monitoring.dashboard.models import Snapshot
from monitoring.dashboard.refreshing import KEY, redis_client

FRESH = timedelta(seconds=45)  # an older copy may have a row that is newer
LATE = timedelta(seconds=90)  # nobody takes pictures any more, as it seems


def snapshot_read() -> dict[str, Any] | None:
    """The last picture, as monitoring.dashboard.picture.take describes it; None: there was none yet.

    Moments are texts. One call of Redis, and one query where that has no fresh copy.
    """
    kept = _copied()
    if kept is not None and abs(clock.now() - taken_at(kept)) < FRESH:
        return kept
    return snapshot_row()


def snapshot_row() -> dict[str, Any] | None:
    """The same, always from the row. One query."""
    row = Snapshot.objects.filter(pk=1).first()
    found: dict[str, Any] | None = None if row is None else row.picture
    return found


def taken_at(picture: dict[str, Any]) -> datetime:
    """When it was taken."""
    return datetime.fromisoformat(picture["taken_at"])


def _copied() -> dict[str, Any] | None:
    try:
        text = redis_client().get(KEY)
        found: dict[str, Any] | None = orjson.loads(text) if isinstance(text, bytes) else None
    except (redis.RedisError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) and "taken_at" in found else None
