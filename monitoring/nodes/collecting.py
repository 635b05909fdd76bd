"""Samples of traffic: a row per server and slot, from the panel's counters of each UTC day.

What came since the sample before is a difference of counters, summed over the days in between, so that
midnight, a missed slot and a restart of ours lose nothing. A counter that went back tells nothing of the
time since: that sample has no bytes, and the next one counts again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from jobs import sql
from lib import clock
from lib.partitions import days_prepare
from monitoring.nodes.reading import columns_of
from subscriptions.panel.client import PanelClient
from subscriptions.panel.types import Bandwidth, PanelNode

TABLE, COLUMN = "node_sample", "at"
_BACK = timedelta(days=2)  # a sample that is older is none to count from
_TOP = 1000

_PREVIOUS = """
SELECT n.uuid, s.taken_at, s.day_bytes FROM node n CROSS JOIN LATERAL (
    SELECT taken_at, day_bytes FROM node_sample
    WHERE node_id = n.uuid AND at >= %(from)s AND at < %(slot)s ORDER BY at DESC LIMIT 1
) s WHERE n.removed_at IS NULL AND s.day_bytes IS NOT NULL
"""
_INSERT = """
INSERT INTO node_sample (node_id, at, taken_at, day_bytes, bytes, seconds, rx_bytes_per_s, tx_bytes_per_s,
    users_online, load_1m, memory_used_bytes)
SELECT f.node_id, %(slot)s, %(at)s, f.day_bytes, f.bytes, f.seconds, f.rx, f.tx, f.users, f.load, f.memory
FROM unnest(%(ids)s::uuid[], %(day_bytes)s::bigint[], %(bytes)s::bigint[], %(seconds)s::float8[],
    %(rx)s::float8[], %(tx)s::float8[], %(users)s::int[], %(load)s::float8[], %(memory)s::bigint[])
    AS f (node_id, day_bytes, bytes, seconds, rx, tx, users, load, memory)
ON CONFLICT (node_id, at) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Previous:
    """The sample before: its moment, and the counter of its UTC day then."""

    taken_at: datetime
    day_bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What one server said, and what came since the sample before."""

    told: PanelNode
    day_bytes: int
    bytes: int | None
    seconds: float | None


def samples_collect(client: PanelClient) -> dict[str, object]:
    """Ask the panel (two calls) and write the samples of this slot. Raises PanelError.

    Repeat within a slot: what is there stays. Locks: none; the day of the table is made if it is missing.
    """
    days_prepare(TABLE, COLUMN)
    at = clock.now()
    slot = slot_of(at)
    before = _previous(slot)
    today = at.astimezone(UTC).date()
    first = min([today, *(each.taken_at.astimezone(UTC).date() for each in before.values())])
    bandwidth = client.bandwidth(first, today, top=_TOP)
    samples = samples_make(client.nodes(), bandwidth, before, at)
    return {"slot": slot.isoformat(), "servers": len(samples), "written": _write(samples, slot, at)}


def slot_of(moment: datetime) -> datetime:
    """The beginning of the slot that a moment lies in."""
    size = settings.NODE_BANDWIDTH_EVERY.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // size * size, UTC)


def samples_make(
    told: Sequence[PanelNode],
    bandwidth: Bandwidth,
    before: Mapping[UUID, Previous],
    at: datetime,
) -> list[Sample]:
    """The samples of a moment. Pure. A server without a line in the answer had no traffic."""
    by_day = {
        each.uuid: dict(zip(bandwidth.days, each.bytes_by_day, strict=True))
        for each in bandwidth.nodes
    }
    today = at.astimezone(UTC).date()
    samples = []
    for each in told:
        counted = by_day.get(each.uuid, {})
        last = before.get(each.uuid)
        samples.append(
            Sample(
                told=each,
                day_bytes=counted.get(today, 0),
                bytes=None if last is None else bytes_since(last, counted),
                seconds=None if last is None else (at - last.taken_at).total_seconds(),
            )
        )
    return samples


def bytes_since(last: Previous, counted: Mapping[date, int]) -> int | None:
    """What the counters of the days have grown by since a sample; None if they went back."""
    since = last.taken_at.astimezone(UTC).date()
    grown = sum(size for day, size in counted.items() if day >= since) - last.day_bytes
    return grown if grown >= 0 else None


def _previous(slot: datetime) -> dict[UUID, Previous]:
    found = sql.rows(_PREVIOUS, {"from": slot - _BACK, "slot": slot})
    return {node_id: Previous(taken_at, day_bytes) for node_id, taken_at, day_bytes in found}


def _write(samples: Sequence[Sample], slot: datetime, at: datetime) -> int:
    columns = [columns_of(each.told) for each in samples]
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "slot": slot,
                "at": at,
                "ids": [each.told.uuid for each in samples],
                "day_bytes": [each.day_bytes for each in samples],
                "bytes": [each.bytes for each in samples],
                "seconds": [each.seconds for each in samples],
                "rx": [each["rx_bytes_per_s"] for each in columns],
                "tx": [each["tx_bytes_per_s"] for each in columns],
                "users": [each["users_online"] for each in columns],
                "load": [each["load_1m"] for each in columns],
                "memory": [each["memory_used_bytes"] for each in columns],
            },
        )
        return int(cursor.rowcount)
