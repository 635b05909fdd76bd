"""What the live console shows, read at one moment. Each part is one or two statements on an index;
lists are capped, and nothing is counted beyond MOST."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from jobs import sql

CLIENTS = 200  # newest connections that are listed
PENDING = 50  # unread notifications that are listed, those that expire first
MOST = 10_000
TEXT = 240  # characters of a message
MINUTES = 60
EVENTS = ("sent", "acked", "auto_cleared")
PUSHES = 2_000  # newest pushes that a look at the latency takes
SLOWEST_MS = 60_000  # later than that, it was waiting for a screen and not for us

Part = dict[str, Any]


def clients() -> Part:
    """Who is connected to which pod: {connections, users, pods: [...], clients: [...]}."""
    found = sql.rows("SELECT count(*), count(DISTINCT recipient_id) FROM inbox_client")
    return {
        "connections": found[0][0],
        "users": found[0][1],
        "pods": _dicts(
            """SELECT p.pod_id, p.started_at, p.beat_at, p.draining, p.version,
                -- What a pod says of itself is as old as its beat.
                (SELECT count(*) FROM inbox_client c WHERE c.pod_id = p.pod_id) AS connections
            FROM inbox_pod p ORDER BY p.pod_id"""
        ),
        "clients": _dicts(
            """SELECT c.id::text AS client_id, c.user_id, c.login, c.device, c.pod_id,
                host(c.address) AS address, c.user_agent, c.connected_at, r.unread
            FROM inbox_client c LEFT JOIN inbox_recipient r ON r.id = c.recipient_id
            ORDER BY c.connected_at DESC, c.id LIMIT %s""",
            [CLIENTS],
        ),
    }


def pending() -> Part:
    """What nobody has read yet: {total, users, is_more, items: those that expire first}."""
    total, users = sql.rows(
        """SELECT count(*), count(DISTINCT recipient_id) FROM
            (SELECT recipient_id FROM inbox_notification WHERE state = 'unread' LIMIT %s) q""",
        [MOST + 1],
    )[0]
    return {
        "total": min(total, MOST),
        "users": users,
        "is_more": total > MOST,
        "items": _dicts(
            """SELECT n.id::text AS notification_id, r.user_id, r.login,
                left(n.message, %s) AS message, n.source, n.priority, n.accepted_at, n.expires_at
            FROM inbox_notification n JOIN inbox_recipient r ON r.id = n.recipient_id
            WHERE n.state = 'unread' ORDER BY n.expires_at LIMIT %s""",
            [TEXT, PENDING],
        ),
    }


def counts() -> Part:
    """The last hour: {second: of the present minute, sent: [60 numbers, oldest first], ...}."""
    found = sql.rows(
        """SELECT event, extract(epoch FROM date_trunc('minute', now()) - at)::int / 60, sum(count)
        FROM inbox_stat
        WHERE at > date_trunc('minute', now()) - make_interval(mins => %s) AND event = ANY (%s)
        GROUP BY 1, 2""",
        [MINUTES, list(EVENTS)],
    )
    series = {event: [0] * MINUTES for event in EVENTS}
    for event, back, count in found:
        if 0 <= back < MINUTES:
            series[event][MINUTES - 1 - back] = int(count)
    second = sql.rows("SELECT extract(second FROM now())::int")[0][0]
    return {"second": second, **series}


def latency(seconds: int) -> list[list[float]]:
    """From the commit to the socket, per second: [unix time, how many, p50, p95, p99], in ms.

    Only pushes of the last so many seconds, and the newest 2,000 of these. A second that is just
    over may grow: pods write their pushes in batches.
    """
    return [
        [int(at), count, *(round(float(each), 2) for each in parts)]
        for at, count, parts in sql.rows(
            """SELECT at, count(*), percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY ms)
            FROM (
                SELECT floor(extract(epoch FROM p.at)) AS at,
                    extract(epoch FROM p.at) * 1000 - n.position AS ms
                FROM inbox_push p JOIN inbox_notification n ON n.id = p.notification_id
                WHERE p.at > now() - make_interval(secs => %s)
                    -- A screen that came later (its id begins with when) was shown what waited for it.
                    AND ('x' || lpad(replace(left(p.devices[1], 13), '-', ''), 16, '0'))::bit(64)::bigint
                        <= n.position
                ORDER BY p.at DESC LIMIT %s
            ) q WHERE ms BETWEEN 0 AND %s GROUP BY at ORDER BY at""",
            [seconds, PUSHES, SLOWEST_MS],
        )
    ]


def _dicts(query: str, params: Sequence[Any] = ()) -> list[Part]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
