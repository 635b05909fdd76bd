"""Packs of items: taken by a walker, given back, and written with what became of each.

Taking and cancelling lock the operation's row first, so that nobody is taken after a cancel was
acknowledged. Writing a fate is conditional on the item being held, so that a walker that was believed
dead changes nothing that its successor has written.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet

from jobs import sql
from lib import clock
from subscriptions.models import BulkItem, ItemState

# A key share waits for a cancel (FOR UPDATE), not for the packs that are counted in this moment.
_TAKE = """
WITH o AS MATERIALIZED (
    SELECT id FROM bulk_operation WHERE id = %(operation)s AND state = 'running' FOR KEY SHARE
), picked AS (
    SELECT i.id FROM bulk_item i WHERE i.operation_id = (SELECT id FROM o) AND i.state = 'pending'
    ORDER BY i.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE bulk_item i SET state = 'running', walker = %(walker)s FROM picked WHERE i.id = picked.id
RETURNING i.id
"""
_INTEND = """
UPDATE bulk_item i SET before = g.before, data = g.data
FROM unnest(%(ids)s::bigint[], %(before)s::text[]::jsonb[], %(data)s::text[]::jsonb[]) g (id, before, data)
WHERE i.id = g.id AND i.state = 'running' AND i.walker = %(walker)s
"""
_SETTLE = """
UPDATE bulk_item i SET state = g.state, reason = g.reason, detail = g.detail, walker = NULL, at = %(now)s
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(details)s::text[])
    g (id, state, reason, detail)
WHERE i.id = g.id AND i.state = 'running' AND i.walker = %(walker)s
RETURNING i.id
"""
_COUNT = """
UPDATE bulk_operation SET done = done + %(done)s, failed = failed + %(failed)s,
    skipped = skipped + %(skipped)s
WHERE id = %(operation)s
"""


_READ = (
    "operation_id", "given", "before", "data",
    "subscriber__panel_id", "subscriber__username", "subscriber__cut_by", "subscriber__cut_reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one item. reason: one of rules.REASONS, or empty for done."""

    item_id: int
    state: ItemState
    reason: str = ""
    detail: str = ""


def pack_take(operation_id: UUID, walker: int, limit: int) -> list[BulkItem]:
    """The next pending items, held by this walker from now on.

    Empty if the operation does not run or nothing is left. Locks: the operation (shared), the items.
    """
    taken = sql.rows(_TAKE, {"operation": operation_id, "walker": walker, "limit": limit})
    return list(_items().filter(pk__in=[item_id for (item_id,) in taken])) if taken else []


def items_held(operation_id: UUID, walker: int) -> list[BulkItem]:
    """What this walker holds still: from before a kill, or because it could not be brought to its end."""
    return list(_items().filter(operation_id=operation_id, state=ItemState.RUNNING, walker=walker))


def _items() -> QuerySet[BulkItem]:
    """Items with as much of their subscribers as is needed to act on them."""
    return BulkItem.objects.select_related("subscriber").only(*_READ).order_by("pk")


def intents_write(
    walker: int, intents: Iterable[tuple[int, dict[str, Any] | None, dict[str, Any] | None]]
) -> None:
    """Keep (item id, how it was before, what is to be written) before the panel is asked to change it."""
    rows = list(intents)
    sql.run(
        _INTEND,
        {
            "walker": walker,
            "ids": [item_id for item_id, _, _ in rows],
            "before": [_json(before) for _, before, _ in rows],
            "data": [_json(data) for _, _, data in rows],
        },
    )


def fates_write(walker: int, fates: Sequence[Fate]) -> set[int]:
    """Write fates; returns the items whose fate this call decided. In the caller's transaction.

    Repeat: what has its fate keeps it. Locks: the items.
    """
    found = sql.rows(
        _SETTLE,
        {
            "walker": walker,
            "now": clock.now(),
            "ids": [fate.item_id for fate in fates],
            "states": [fate.state.value for fate in fates],
            "reasons": [fate.reason for fate in fates],
            "details": [fate.detail[:300] for fate in fates],
        },
    )
    return {item_id for (item_id,) in found}


def counts_add(operation_id: UUID, states: Iterable[ItemState]) -> None:
    """Count the fates that were decided. Last in their transaction: all walkers count in this row.

    Locks: the operation.
    """
    counted = Counter(states)
    sql.run(
        _COUNT,
        {
            "operation": operation_id,
            "done": counted[ItemState.DONE],
            "failed": counted[ItemState.FAILED],
            "skipped": counted[ItemState.SKIPPED],
        },
    )


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
