"""Telling the servers of others: what every app may call."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from jobs import sql
from lib import clock
from lib.errors import InputInvalid
from lib.ids import uuid7
from notifications.webhooks.errors import EventTooLarge, EventUnknown
from notifications.webhooks.models import EVERYTHING
from notifications.webhooks.types import event_type_find
from notifications.webhooks.waking import wake

MAX_BODY_BYTES = 64 * 1024  # the specification advises to stay below 20 kB

# Written with the event, so that a rolled back one is never told; committed with it, so that it will
# be. NOTIFY in the same statement, because a second one would cost as much again.
_EMIT = """
WITH made AS (
    INSERT INTO webhook_event (id, type, body, created_at)
    SELECT %(id)s, %(type)s, %(body)s, %(now)s WHERE EXISTS (
        SELECT FROM webhook_endpoint e
        WHERE e.state <> 'deleted' AND e.event_types && %(wanted)s::varchar[]
    )
    ON CONFLICT (id) DO NOTHING RETURNING id
), told AS (
    INSERT INTO webhook_delivery (event_id, endpoint_id, event_type, next_attempt_at, created_at)
    SELECT m.id, e.id, %(type)s, %(now)s, %(now)s FROM made m CROSS JOIN webhook_endpoint e
    WHERE e.state = 'enabled' AND e.event_types && %(wanted)s::varchar[]
    RETURNING 1
)
SELECT CASE WHEN %(notifies)s THEN pg_notify('jobs_wake', 'webhooks.send_due') END
FROM told LIMIT 1
"""


def event_emit(event_type: str, data: Mapping[str, Any], *, event_id: UUID | None = None) -> UUID:
    """Tell all enabled endpoints that want this type. Returns the id of the event.

    Rows only, in the transaction of the caller: rolled back, nobody is told. An event that only
    disabled endpoints want is kept for a later replay; one that nobody wants is not stored. data is
    JSON and should hold ids and little more. One statement.
    Repeat: with the same event_id nothing changes.
    Raises EventUnknown, EventTooLarge, InputInvalid for what is not JSON.
    """
    if event_type_find(event_type) is None:
        raise EventUnknown(f"no event type is called {event_type!r}")
    event_id = event_id or uuid7()
    notifies = settings.JOBS["wake"] == "notify"
    told = sql.run(
        _EMIT,
        {
            "id": event_id,
            "type": event_type,
            "body": event_body(event_type, data),
            "now": clock.now(),
            "wanted": [event_type, EVERYTHING],
            "notifies": notifies,
        },
    )
    if told and not notifies:
        wake()
    return event_id


def event_body(event_type: str, data: Mapping[str, Any]) -> str:
    """The bytes that receivers get, as text: Standard Webhooks 1.0.0, "Payload structure"."""
    try:
        body = orjson.dumps(
            {"type": event_type, "timestamp": clock.now(), "data": dict(data)},
            option=orjson.OPT_UTC_Z,
        )
    except TypeError as exc:
        raise InputInvalid(f"the data of an event must be JSON: {exc}") from None
    if len(body) > MAX_BODY_BYTES:
        raise EventTooLarge(f"the event has {len(body)} bytes; at most {MAX_BODY_BYTES} are sent")
    return body.decode()
