"""What is said to screens: the same frames by WebSocket and, all at once, by REST.

`dashboard.snapshot` is the last picture, `dashboard.events` the feed, `dashboard.alerts` what is open,
`dashboard.tick` {now, trouble} each ten seconds.
"""

from typing import Any

import orjson

from jobs import sql
from lib import clock
from monitoring.dashboard.picture.feed import feed
from monitoring.dashboard.picture.trouble import trouble
from monitoring.dashboard.reading import snapshot_read

Mark = tuple[Any, ...]


def mark_read() -> Mark:
    """What is new when it differs: (newest event, when the picture was taken). One query, two rows."""
    return tuple(
        sql.row(
            """SELECT (SELECT max(id) FROM platform_event),
                (SELECT taken_at FROM dashboard_snapshot WHERE id = 1)"""
        )
        or (None, None)
    )


def news() -> dict[str, Any]:
    """What changes with each event: {"events": {items}, "alerts": {...}}. Two queries."""
    return {"events": {"items": feed()}, "alerts": trouble()}


def tick(trouble_text: str = "") -> dict[str, Any]:
    """The clock of the server, and what is wrong with it."""
    return {"now": clock.now(), "trouble": trouble_text}


def frame(name: str, data: Any) -> str:
    """The text of a frame."""
    return orjson.dumps(
        {"type": f"dashboard.{name}", "data": data}, option=orjson.OPT_UTC_Z
    ).decode()


def everything() -> dict[str, Any]:
    """All frames' data by name: {"snapshot", "events", "alerts", "tick"}. Three queries."""
    return {"snapshot": snapshot_read(), **news(), "tick": tick()}
