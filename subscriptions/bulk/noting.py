"""What follows here when the panel has changed somebody for an operation: mirror, who cut, the story."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from jobs import sql
from lib import clock
from subscriptions.bulk.acts import Pack
from subscriptions.models import BulkItem, BulkKind, BulkOperation, CutBy, ItemState
from subscriptions.panel.types import PanelUser
from subscriptions.story import EventRow, events_write

# In the order of their ids, as everybody locks who locks many.
_LOCK = """
SELECT id, panel_id, panel_updated_at FROM subscriber WHERE id = ANY(%s)
ORDER BY id FOR NO KEY UPDATE
"""
# Of the panel's answer, what an operation may have changed. No moment: no answer, or one older than the row.
_MIRROR = """
UPDATE subscriber s SET
    status = CASE WHEN g.updated_at IS NULL THEN s.status ELSE g.status END,
    expire_at = CASE WHEN g.updated_at IS NULL THEN s.expire_at ELSE g.expire_at END,
    used_traffic_bytes = CASE WHEN g.updated_at IS NULL THEN s.used_traffic_bytes ELSE g.used END,
    last_traffic_reset_at = CASE WHEN g.updated_at IS NULL THEN s.last_traffic_reset_at ELSE g.reset_at END,
    panel_updated_at = coalesce(g.updated_at, s.panel_updated_at){also}
FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(ends)s::timestamptz[], %(used)s::bigint[],
    %(resets)s::timestamptz[], %(updated)s::timestamptz[], %(cut_by)s::text[], %(cut_reason)s::text[])
    g (id, status, expire_at, used, reset_at, updated_at, cut_by, cut_reason)
WHERE s.id = g.id
"""
_ALSO = {
    BulkKind.DISABLE: ", cut_by = g.cut_by, cut_reason = g.cut_reason, cut_at = %(now)s",
    BulkKind.ENABLE: ", cut_by = '', cut_reason = '', cut_at = NULL",
    BulkKind.DELETE: ", missing_since = coalesce(s.missing_since, %(now)s)",
}
_EVENTS = {
    BulkKind.DISABLE: "disabled",
    BulkKind.ENABLE: "enabled",
    BulkKind.EXTEND: "extended",
    BulkKind.RESET_TRAFFIC: "traffic_reset",
    BulkKind.DELETE: "deleted",
}


def note_done(operation: BulkOperation, pack: Pack, decided: set[int]) -> None:
    """Write what follows for the items that were just decided. In the transaction of their fates.

    Locks: the subscribers, by id. Repeat: only decided items are noted, and each is decided once.
    """
    done = [
        item
        for item in pack.items
        if item.pk in decided
        and pack.fates[item.pk].state is ItemState.DONE
        and item.subscriber_id is not None
    ]
    if not done:
        return
    found = sql.rows(_LOCK, [[item.subscriber_id for item in done]])
    users = {
        row_id: _newer(pack.users.get(panel_id or 0), known) for row_id, panel_id, known in found
    }
    there = [item for item in done if item.subscriber_id in users]
    if not there:
        return
    sql.run(
        _MIRROR.format(also=_ALSO.get(BulkKind(operation.kind), "")),
        _columns(operation, [(item, users[item.subscriber_id]) for item in there]),
    )
    events_write(_events(operation, there))


def _newer(user: PanelUser | None, known: datetime | None) -> PanelUser | None:
    """An answer of the panel, unless the mirror has a newer one."""
    return None if user is None or (known is not None and user.updated_at < known) else user


def _columns(
    operation: BulkOperation, done: Sequence[tuple[BulkItem, PanelUser | None]]
) -> dict[str, Any]:
    """The parameters of _MIRROR."""
    cuts = [_cut(operation, item) for item, _ in done]
    users = [user for _, user in done]
    return {
        "now": clock.now(),
        "ids": [item.subscriber_id for item, _ in done],
        "statuses": [user.status.value if user else None for user in users],
        "ends": [user.expire_at if user else None for user in users],
        "used": [user.used_bytes if user else None for user in users],
        "resets": [user.last_traffic_reset_at if user else None for user in users],
        "updated": [user.updated_at if user else None for user in users],
        "cut_by": [by for by, _ in cuts],
        "cut_reason": [reason for _, reason in cuts],
    }


def _cut(operation: BulkOperation, item: BulkItem) -> tuple[str, str]:
    """Who has cut the subscriber of a disabled item, and why."""
    was = item.data or {}
    if operation.is_undo and was.get("cut_by") is not None:
        # As before they were enabled: whom an operator had disabled, paying does not bring back.
        return str(was["cut_by"]), str(was.get("cut_reason") or "")
    return CutBy.BULK.value, str(operation.params.get("reason") or f"bulk operation {operation.pk}")


def _events(operation: BulkOperation, items: Iterable[BulkItem]) -> Iterator[EventRow]:
    kind = BulkKind(operation.kind)
    for item in items:
        before = item.before or {}
        data = {"operation": str(operation.pk), "is_undo": operation.is_undo}
        if kind is BulkKind.DISABLE:
            data["reason"] = operation.params.get("reason") or "a bulk operation"
        elif kind is BulkKind.ENABLE:
            data["before"] = before.get("status", "")
        elif kind is BulkKind.EXTEND:
            data |= {
                "days": operation.params.get("days", 0),
                "before": before.get("expire_at"),
                "until": (item.data or {}).get("expire_at"),
            }
        elif kind is BulkKind.RESET_TRAFFIC:
            data["before"] = before.get("used_bytes")
        name = "moved_back" if kind is BulkKind.EXTEND and operation.is_undo else _EVENTS[kind]
        yield EventRow(
            subscriber_id=item.subscriber_id or 0,
            kind=name,
            source="bulk",
            data=data,
            actor=operation.created_by,
        )
