"""Pausing, resuming, cancelling an operation; trying its failed ones again; taking it back."""

from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from subscriptions.bulk.closing import operation_close
from subscriptions.bulk.errors import BulkImpossible, BulkNotUndoable, BulkUnknown
from subscriptions.bulk.rules import UNDO, UNDOABLE
from subscriptions.bulk.starting import OBJECT, begin, walkers_call
from subscriptions.models import BulkKind, BulkOperation, BulkState, ItemState

_COUNT_OPEN = (
    "SELECT count(*) FROM bulk_item WHERE operation_id = %s AND state IN ('pending', 'running')"
)
_CANCEL = """
WITH ended AS (
    UPDATE bulk_item SET state = 'skipped', reason = 'cancelled', at = %(now)s
    WHERE operation_id = %(operation)s AND state = 'pending' RETURNING 1
)
UPDATE bulk_operation SET skipped = skipped + (SELECT count(*) FROM ended) WHERE id = %(operation)s
"""
_COPY = """
INSERT INTO bulk_item (operation_id, subscriber_id, given, state, reason, detail, before, data)
SELECT %(operation)s, i.subscriber_id, i.given, 'pending', '', '', {before}, {data}
FROM bulk_item i JOIN subscriber s ON s.id = i.subscriber_id
WHERE i.operation_id = %(parent)s AND i.state = %(state)s AND {condition}
ORDER BY i.id
"""
_TOTAL = """
UPDATE bulk_operation SET total = (SELECT count(*) FROM bulk_item WHERE operation_id = %(operation)s)
WHERE id = %(operation)s RETURNING total
"""
# Only who still is as the operation has left them.
_UNDO = {
    BulkKind.DISABLE: (
        "NULL",
        """s.cut_by = 'bulk' AND NOT EXISTS (
            SELECT FROM bulk_item l JOIN bulk_operation o ON o.id = l.operation_id
            WHERE l.subscriber_id = s.id AND l.state = 'done' AND l.at > i.at AND o.kind = 'disable'
        )""",
    ),
    BulkKind.ENABLE: (
        # Until when they were served, and who had switched them off before.
        "jsonb_build_object('until', i.before ->> 'expire_at', 'cut_by', i.before ->> 'cut_by',"
        " 'cut_reason', i.before ->> 'cut_reason')",
        "s.status <> 'DISABLED'",
    ),
    BulkKind.EXTEND: (
        "jsonb_build_object('from', i.data ->> 'expire_at', 'to', i.before ->> 'expire_at')",
        "true",
    ),
}


def bulk_get(operation_id: UUID) -> BulkOperation:
    """One operation. Raises BulkUnknown."""
    found = BulkOperation.objects.filter(pk=operation_id).first()
    if found is None:
        raise BulkUnknown
    return found


def bulk_pause(*, operation_id: UUID, by: Account) -> BulkOperation:
    """Begin no further pack until it is resumed. Repeat: nothing. Raises BulkUnknown, BulkImpossible."""
    with transaction.atomic():
        operation = _locked(operation_id, BulkState.RUNNING, BulkState.PAUSED)
        if operation.state == BulkState.RUNNING:
            _move(operation, BulkState.PAUSED, by, "pause")
    return operation


def bulk_resume(*, operation_id: UUID, by: Account) -> BulkOperation:
    """Go on. Repeat: nothing. Raises BulkUnknown, BulkImpossible."""
    with transaction.atomic():
        operation = _locked(operation_id, BulkState.RUNNING, BulkState.PAUSED)
        if operation.state == BulkState.PAUSED:
            _move(operation, BulkState.RUNNING, by, "resume")
            found = sql.row(_COUNT_OPEN, [operation_id])
            walkers_call(operation_id, int(found[0]) if found else 0)
    return operation


def bulk_cancel(*, operation_id: UUID, by: Account) -> BulkOperation:
    """End an operation for good: whoever was not begun is skipped when this returns.

    A pack that was on its way to the panel in this moment is finished and counted; until then finished_at
    is null. Repeat: nothing. Raises BulkUnknown, BulkImpossible.
    """
    with transaction.atomic():
        operation = _locked(
            operation_id,
            BulkState.WAITING, BulkState.RUNNING, BulkState.PAUSED, BulkState.CANCELLED,
        )  # fmt: skip
        if operation.state != BulkState.CANCELLED:
            _move(operation, BulkState.CANCELLED, by, "cancel")
            sql.run(_CANCEL, {"operation": operation_id, "now": clock.now()})
            found = sql.row(_COUNT_OPEN, [operation_id])
            if found and found[0]:
                walkers_call(operation_id, 1)  # whoever holds the rest may have been killed
    operation_close(operation_id)
    operation.refresh_from_db()
    return operation


def bulk_retry_failed(*, operation_id: UUID, by: Account) -> BulkOperation:
    """A new operation for those that failed. Raises BulkUnknown, BulkImpossible if none did."""
    with transaction.atomic():
        parent = _over(operation_id)
        if parent.kind == BulkKind.IMPORT:
            raise BulkImpossible("An import is tried again by giving its list again.")
        child = _child(parent, BulkKind(parent.kind), by, "retry_failed", is_undo=parent.is_undo)
        before, data = "NULL", "NULL"
        if parent.is_undo:
            data = "i.data - 'expire_at'"
        elif parent.kind == BulkKind.EXTEND:
            # Nobody may know whether the date was written: with both, reading back tells.
            before, data = "i.before", "i.data"
        _fill(child, parent, ItemState.FAILED, data, "true", "nobody failed", before=before)
    child.refresh_from_db()
    return child


def bulk_undo(*, operation_id: UUID, by: Account) -> BulkOperation:
    """A new operation that takes back what one has done, for those whom nobody has changed since.

    Raises BulkUnknown, BulkImpossible, BulkNotUndoable.
    """
    with transaction.atomic():
        parent = _over(operation_id)
        kind = BulkKind(parent.kind)
        if parent.is_undo or kind not in UNDOABLE:
            raise BulkNotUndoable(f"{parent.get_kind_display().capitalize()} cannot be taken back.")
        if parent.children.filter(is_undo=True).exclude(state=BulkState.CANCELLED).exists():
            raise BulkNotUndoable("This operation was taken back before.")
        child = _child(parent, UNDO.get(kind, kind), by, "undo", is_undo=True)
        data, condition = _UNDO[kind]
        _fill(child, parent, ItemState.DONE, data, condition, "nobody is as it has left them")
    child.refresh_from_db()
    return child


def _locked(operation_id: UUID, *states: BulkState) -> BulkOperation:
    operation = BulkOperation.objects.select_for_update().filter(pk=operation_id).first()
    if operation is None:
        raise BulkUnknown
    if operation.state not in states:
        raise BulkImpossible(f"The operation is {operation.get_state_display()}.")
    return operation


def _over(operation_id: UUID) -> BulkOperation:
    operation = _locked(operation_id, BulkState.DONE, BulkState.CANCELLED)
    if operation.finished_at is None:
        raise BulkImpossible("Its last packs are still on their way.")
    return operation


def _move(operation: BulkOperation, state: BulkState, by: Account, act: str) -> None:
    operation.state, operation.pause_reason = state, ""
    operation.save(update_fields=["state", "pause_reason"])
    audit_write(by, f"subscriptions.bulk_{act}", OBJECT, operation.pk)


def _child(
    parent: BulkOperation, kind: BulkKind, by: Account, act: str, *, is_undo: bool
) -> BulkOperation:
    child = BulkOperation.objects.create(
        kind=kind,
        params=parent.params if kind == parent.kind else {},
        selection={"text": f"of {parent.pk}"},
        source=parent.source,
        parent=parent,
        is_undo=is_undo,
        created_by=by.get_username() if isinstance(by, AbstractBaseUser) else "",
        tell_telegram_id=parent.tell_telegram_id,
        created_at=clock.now(),
    )
    audit_write(by, f"subscriptions.bulk_{act}", OBJECT, child.pk, parent=str(parent.pk))
    return child


def _fill(
    child: BulkOperation,
    parent: BulkOperation,
    state: ItemState,
    data: str,
    condition: str,
    nobody: str,
    *,
    before: str = "NULL",
) -> None:
    params = {"operation": child.pk, "parent": parent.pk, "state": state.value}
    sql.run(_COPY.format(before=before, data=data, condition=condition), params)
    found = sql.row(_TOTAL, params)
    total = int(found[0]) if found else 0
    if not total:
        raise BulkImpossible(f"There is nothing to do: {nobody}.")
    begin(child, total)
