"""What follows here when the panel has changed somebody for an operation: mirror, who cut, the story."""

from collections.abc import Iterable, Iterator

from lib import clock
from subscriptions.bulk.acts import Pack
from subscriptions.models import BulkItem, BulkKind, BulkOperation, CutBy, ItemState, Subscriber
from subscriptions.panel.types import PanelUser
from subscriptions.story import EventRow, events_write

# Of the panel's answer, what an operation may have changed.
_MIRRORED = (
    "status",
    "expire_at",
    "used_traffic_bytes",
    "last_traffic_reset_at",
    "panel_updated_at",
)
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
    rows = {
        row.pk: row
        for row in Subscriber.objects.select_for_update()
        .filter(pk__in=[item.subscriber_id for item in done])
        .order_by("pk")
    }
    users = {user.id: user for user in pack.users.values()}
    items = {item.subscriber_id: item for item in done}
    changed = [
        _apply(operation, row, users.get(row.panel_id or 0), items[row.pk]) for row in rows.values()
    ]
    Subscriber.objects.bulk_update(
        changed, [*_MIRRORED, "cut_by", "cut_reason", "cut_at", "missing_since"]
    )
    events_write(_events(operation, pack, (item for item in done if item.subscriber_id in rows)))


def _apply(
    operation: BulkOperation, row: Subscriber, user: PanelUser | None, item: BulkItem
) -> Subscriber:
    kind = BulkKind(operation.kind)
    is_newer = user is not None and (
        row.panel_updated_at is None or user.updated_at >= row.panel_updated_at
    )
    if user is not None and is_newer:
        row.status = user.status.value
        row.expire_at = user.expire_at
        row.used_traffic_bytes = user.used_bytes
        row.last_traffic_reset_at = user.last_traffic_reset_at
        row.panel_updated_at = user.updated_at
    if kind is BulkKind.DISABLE:
        row.cut_by, row.cut_at = CutBy.BULK, clock.now()
        row.cut_reason = str(operation.params.get("reason") or f"bulk operation {operation.pk}")
        was = item.data or {}
        if operation.is_undo and was.get("cut_by") is not None:
            # As before they were enabled: whom an operator had disabled, paying does not bring back.
            row.cut_by, row.cut_reason = was["cut_by"], str(was.get("cut_reason") or "")
    elif kind is BulkKind.ENABLE:
        row.cut_by, row.cut_reason, row.cut_at = CutBy.NOBODY, "", None
    elif kind is BulkKind.DELETE:
        row.missing_since = row.missing_since or clock.now()
    return row


def _events(operation: BulkOperation, pack: Pack, items: Iterable[BulkItem]) -> Iterator[EventRow]:
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
