"""What others may ask about servers: how they are now, were then, and how much went through them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from jobs import sql
from lib import clock
from monitoring.nodes.models import Health, Node
from monitoring.nodes.usual import usual_now

_FRESH = timedelta(minutes=20)  # a sample that is older says nothing of now


@dataclass(frozen=True, slots=True)
class NodeNow:
    """One server in this moment. Rates are bytes per second.

    users_usual, rate_usual: the median of this hour of the week over the last weeks; None: too little is
    known. bytes_per_s: traffic of the people by the last sample; rx and tx are those of the machine.
    """

    uuid: UUID
    name: str
    country_code: str
    city: str
    latitude: float | None
    longitude: float | None
    tags: tuple[str, ...]
    health: Health
    since: datetime
    seen_health: Health
    flapping_since: datetime | None
    status_message: str
    checked_at: datetime
    users_online: int
    users_usual: float | None
    bytes_per_s: float | None
    rate_usual: float | None
    rx_bytes_per_s: float | None
    tx_bytes_per_s: float | None
    load_1m: float | None
    cpus: int | None
    memory_used_bytes: int | None
    memory_total_bytes: int | None
    traffic_used_bytes: int
    traffic_limit_bytes: int


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which a server did not serve, whatever it was called meanwhile. ended_at None: still."""

    node_id: UUID
    name: str
    health: Health  # the worst of it
    began_at: datetime
    ended_at: datetime | None
    reason: str

    @property
    def lasted(self) -> timedelta:
        """How long it took, so far."""
        return (self.ended_at or clock.now()) - self.began_at


@dataclass(frozen=True, slots=True)
class HourLine:
    """An hour of one server, or of all: then sums, and no highest and lowest rate."""

    hour: datetime
    bytes_sum: int
    rate_avg: float | None
    rate_max: float | None
    rate_min: float | None
    users_avg: float
    users_max: int


@dataclass(frozen=True, slots=True)
class RawLine:
    """A slot of five minutes of one server, or of all: then sums. Rates are bytes per second."""

    at: datetime
    bytes: int | None
    bytes_per_s: float | None
    rx_bytes_per_s: float | None
    tx_bytes_per_s: float | None
    users_online: int


def nodes_now() -> list[NodeNow]:
    """All servers that the panel lists, in its order. Three queries."""
    rows = list(Node.objects.filter(removed_at=None).order_by("view_position", "name"))
    usual = usual_now()
    rates = rates_now()
    return [_now(row, usual.get(row.pk, (None, None)), rates.get(row.pk)) for row in rows]


def rates_now() -> dict[UUID, float]:
    """Bytes per second of each server by its last sample, where there is one of the last minutes."""
    now = clock.now()
    found = sql.rows(
        """SELECT DISTINCT ON (node_id) node_id, bytes / nullif(seconds, 0) FROM node_sample
        WHERE at > %s AND at <= %s AND bytes IS NOT NULL ORDER BY node_id, at DESC""",
        [now - _FRESH, now],
    )
    return {node_id: rate for node_id, rate in found if rate is not None}


def uptime(
    node_ids: Collection[UUID] | None, since: datetime, until: datetime
) -> dict[UUID, float]:
    """The share (0 to 1) of a time in which each server was online; None means all servers.

    Maintenance, and time before a server was known, are left out of both sides; who has no other time
    in it is not in the answer. One query.
    """
    return dict(
        sql.rows(
            """WITH spans AS (
                SELECT node_id, health, extract(epoch FROM
                    least(coalesce(ended_at, %(now)s), %(until)s, %(now)s)
                    - greatest(began_at, %(since)s)) AS s
                FROM node_state
                WHERE began_at < least(%(until)s, %(now)s)
                    AND coalesce(ended_at, %(now)s) > %(since)s
                    AND health <> 'maintenance' AND (%(ids)s::uuid[] IS NULL OR node_id = ANY(%(ids)s))
            )
            SELECT node_id, (coalesce(sum(s) FILTER (WHERE health = 'online'), 0) / sum(s))::float8
            FROM spans GROUP BY node_id HAVING sum(s) > 0""",
            {
                "now": clock.now(),
                "since": since,
                "until": until,
                "ids": None if node_ids is None else list(node_ids),
            },
        )
    )


def incidents(since: datetime, until: datetime, node: UUID | None = None) -> list[Incident]:
    """What overlaps a time, the latest first; spans that follow each other are one. One query."""
    found = sql.rows(
        """SELECT s.node_id, n.name, s.health, s.began_at, s.ended_at, s.reason
        FROM node_state s JOIN node n ON n.uuid = s.node_id
        WHERE s.began_at < %(until)s AND coalesce(s.ended_at, %(now)s) > %(since)s
            AND s.health IN ('offline', 'warning')
            AND (%(node)s::uuid IS NULL OR s.node_id = %(node)s)
        ORDER BY s.node_id, s.began_at""",
        {"now": clock.now(), "since": since, "until": until, "node": node},
    )
    made = [
        incident
        for _, spans in groupby(found, key=lambda row: row[0])
        for incident in _joined(_incident(*row) for row in spans)
    ]
    return sorted(made, key=lambda each: (each.began_at, each.node_id), reverse=True)


def _incident(
    node_id: UUID,
    name: str,
    health: str,
    began_at: datetime,
    ended_at: datetime | None,
    reason: str,
) -> Incident:
    return Incident(node_id, name, Health(health), began_at, ended_at, reason)


def _joined(spans: Iterable[Incident]) -> list[Incident]:
    made: list[Incident] = []
    for span in spans:
        before = made[-1] if made else None
        if before is None or before.ended_at != span.began_at:
            made.append(span)
            continue
        worst = Health.OFFLINE if Health.OFFLINE in (before.health, span.health) else span.health
        made[-1] = Incident(
            span.node_id, span.name, worst, before.began_at, span.ended_at,
            before.reason or span.reason,
        )  # fmt: skip
    return made


def bandwidth_hours(since: datetime, until: datetime, node: UUID | None = None) -> list[HourLine]:
    """Hours that begin in a time, the oldest first. One query."""
    if node is not None:
        query = """SELECT hour, bytes_sum, rate_avg, rate_max, rate_min, users_avg, users_max
            FROM node_hour WHERE node_id = %s AND hour >= %s AND hour < %s ORDER BY hour"""
        return [HourLine(*row) for row in sql.rows(query, [node, since, until])]
    query = """SELECT hour, sum(bytes_sum)::bigint, sum(rate_avg), NULL::float8, NULL::float8,
            sum(users_avg), sum(users_max)::int
        FROM node_hour WHERE hour >= %s AND hour < %s GROUP BY hour ORDER BY hour"""
    return [HourLine(*row) for row in sql.rows(query, [since, until])]


def bandwidth_raw(since: datetime, until: datetime, node: UUID | None = None) -> list[RawLine]:
    """Slots in a time, the oldest first; nothing beyond the last 48 hours or so. One query."""
    if node is not None:
        query = """SELECT at, bytes, bytes / nullif(seconds, 0), rx_bytes_per_s, tx_bytes_per_s,
                users_online
            FROM node_sample WHERE node_id = %s AND at >= %s AND at < %s ORDER BY at"""
        return [RawLine(*row) for row in sql.rows(query, [node, since, until])]
    query = """SELECT at, sum(bytes)::bigint, sum(bytes / nullif(seconds, 0)), sum(rx_bytes_per_s),
            sum(tx_bytes_per_s), sum(users_online)::int
        FROM node_sample WHERE at >= %s AND at < %s GROUP BY at ORDER BY at"""
    return [RawLine(*row) for row in sql.rows(query, [since, until])]


def traffic(since: datetime, until: datetime) -> dict[UUID, int]:
    """Bytes of each server in the hours that begin in a time. One query."""
    return dict(
        sql.rows(
            """SELECT node_id, sum(bytes_sum)::bigint FROM node_hour
            WHERE hour >= %s AND hour < %s GROUP BY node_id""",
            [since, until],
        )
    )


def _now(row: Node, usual: tuple[float | None, float | None], rate: float | None) -> NodeNow:
    return NodeNow(
        uuid=row.pk,
        name=row.name,
        country_code=row.country_code,
        city=row.city,
        latitude=row.latitude,
        longitude=row.longitude,
        tags=tuple(row.tags),
        health=Health(row.health),
        since=row.health_since,
        seen_health=Health(row.seen_health),
        flapping_since=row.flapping_since,
        status_message=row.status_message,
        checked_at=row.checked_at,
        users_online=row.users_online,
        users_usual=usual[0],
        bytes_per_s=rate,
        rate_usual=usual[1],
        rx_bytes_per_s=row.rx_bytes_per_s,
        tx_bytes_per_s=row.tx_bytes_per_s,
        load_1m=row.load_1m,
        cpus=row.cpus,
        memory_used_bytes=row.memory_used_bytes,
        memory_total_bytes=row.memory_total_bytes,
        traffic_used_bytes=row.traffic_used_bytes,
        traffic_limit_bytes=row.traffic_limit_bytes,
    )
