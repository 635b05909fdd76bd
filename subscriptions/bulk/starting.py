"""Beginning an operation: its row, the items of everybody it is for, and the jobs that walk over them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from subscriptions.bulk.preview import people_sql
from subscriptions.bulk.rules import params_check, skip_sql
from subscriptions.bulk.selection import Selection, selection_for
from subscriptions.models import BulkItem, BulkKind, BulkOperation, BulkState, ItemState

OBJECT = "subscriptions.bulkoperation"

# Those who are left alone have their fate at once; the panel is asked about the others only.
_ITEMS = """
INSERT INTO bulk_item (operation_id, subscriber_id, given, state, reason, detail, at)
SELECT %(operation)s, s.id, s.username, CASE WHEN {skip} = '' THEN 'pending' ELSE 'skipped' END,
    {skip}, '', CASE WHEN {skip} <> '' THEN %(now)s::timestamptz END
FROM subscriber s WHERE {people} ORDER BY s.id
"""
_STRANGERS = """
INSERT INTO bulk_item (operation_id, given, state, reason, detail, at)
SELECT %(operation)s, g.name, 'skipped', 'unknown', '', %(now)s
FROM unnest(%(names)s::text[]) WITH ORDINALITY g (name, place)
WHERE NOT EXISTS (SELECT FROM subscriber s WHERE s.{column} = g.name::{cast} {current})
ORDER BY g.place
"""
_COUNT = """
UPDATE bulk_operation o SET total = c.total, skipped = c.skipped
FROM (
    SELECT count(*) AS total, count(*) FILTER (WHERE state = 'skipped') AS skipped
    FROM bulk_item WHERE operation_id = %(operation)s
) c WHERE o.id = %(operation)s RETURNING c.total - c.skipped
"""


def bulk_start(
    *,
    kind: BulkKind,
    params: Mapping[str, Any],
    selection: Mapping[str, Any],
    source: str,
    by: Account,
    tell_telegram_id: int | None = None,
    meant: int | None = None,
) -> BulkOperation:
    """Begin an operation. Its people are fixed now if they are listed, and by its first job if a filter
    chooses them. An empty list is done at once.

    source: admin, api, csv or file. tell_telegram_id: who gets the summary, besides the log of audits.
    meant: how many were to be changed when a person or a caller agreed; if a filter finds more when its
    people are fixed, the operation pauses before it has touched anybody.
    Raises ParamsInvalid, SelectionInvalid, SelectionTooLarge, FilterInvalid. Repeat: a second operation.
    """
    checked, chosen = params_check(kind, params), selection_for(kind, selection)
    with transaction.atomic():
        operation = BulkOperation.objects.create(
            kind=kind,
            params=checked,
            selection=chosen.stored() | ({} if meant is None else {"meant": meant}),
            source=source,
            created_by=by.get_username() if isinstance(by, AbstractBaseUser) else "",
            tell_telegram_id=tell_telegram_id,
            created_at=clock.now(),
        )
        audit_write(
            by, f"subscriptions.bulk_{kind.value}", OBJECT, operation.pk,
            params=checked, selection=chosen.stored(),
        )  # fmt: skip
        if chosen.where is None:
            open_items = items_write(operation, chosen)
            begin(operation, open_items)
        else:
            from subscriptions.bulk.tasks import expand  # noqa: PLC0415 - its jobs call us

            expand.enqueue(operation_id=operation.pk, unique=f"bulk_expand:{operation.pk}")
    operation.refresh_from_db()
    return operation


def items_write(operation: BulkOperation, chosen: Selection) -> int:
    """Write the items and the totals; returns how many are to be done. In the caller's transaction."""
    people, values = people_sql(chosen)
    values |= {"operation": operation.pk, "now": clock.now()}
    sql.run(_ITEMS.format(skip=skip_sql(BulkKind(operation.kind)), people=people), values)
    if chosen.where is None:
        current = "AND s.missing_since IS NULL" if chosen.column == "username" else ""
        sql.run(_STRANGERS.format(column=chosen.column, cast=chosen.cast, current=current), values)
    found = sql.row(_COUNT, {"operation": operation.pk})
    return int(found[0]) if found else 0


def begin(operation: BulkOperation, open_items: int) -> None:
    """Let walkers go over the items; with none to do it is done. In the caller's transaction."""
    now = clock.now()
    if not open_items:
        BulkOperation.objects.filter(pk=operation.pk).update(
            state=BulkState.DONE, started_at=now, finished_at=now
        )
        from subscriptions.bulk.closing import summary_tell  # noqa: PLC0415 - closes what we begin

        operation.refresh_from_db()
        summary_tell(operation)
        return
    BulkOperation.objects.filter(pk=operation.pk).update(state=BulkState.RUNNING, started_at=now)
    walkers_call(operation.pk, open_items)


def walkers_call(operation_id: UUID, open_items: int) -> None:
    """Enqueue as many walkers as there are packs, and no more than are allowed. Repeat: no more of them."""
    packs = -(-open_items // settings.BULK_BATCH_SIZE)
    wanted = set(range(1, min(settings.BULK_WALKERS, max(1, packs)) + 1))
    _enqueue(operation_id, wanted | _holders(operation_id))


def holders_call(operation_id: UUID) -> None:
    """Enqueue whoever holds people: one whose job died has left them. Repeat: no more of them."""
    _enqueue(operation_id, _holders(operation_id))


def _holders(operation_id: UUID) -> set[int]:
    held = BulkItem.objects.filter(operation_id=operation_id, state=ItemState.RUNNING)
    return {each for each in held.values_list("walker", flat=True).distinct() if each is not None}


def _enqueue(operation_id: UUID, walkers: set[int]) -> None:
    from subscriptions.bulk.tasks import walk  # noqa: PLC0415 - its jobs call us

    for walker in sorted(walkers):
        walk.enqueue(
            operation_id=operation_id, walker=walker, unique=f"bulk_walk:{operation_id}:{walker}"
        )
