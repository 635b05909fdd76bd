"""Writing what became of a pack: fates, counts, mirror and stories in one transaction."""

from django.db import transaction

from jobs.faults import fault
from subscriptions.bulk.acts import Pack
from subscriptions.bulk.importing import note_imported
from subscriptions.bulk.noting import note_done
from subscriptions.bulk.packs import counts_add, fates_write
from subscriptions.models import BulkKind, BulkOperation, BulkState


def pack_write(operation: BulkOperation, walker: int, pack: Pack) -> None:
    """Write the fates that a pack has by now. Repeat: what has its fate keeps it, and is noted once."""
    if not pack.fates:
        return
    with transaction.atomic():
        decided = fates_write(walker, list(pack.fates.values()))
        note = note_imported if pack.kind is BulkKind.IMPORT else note_done
        note(operation, pack, decided)
        counts_add(operation.pk, (pack.fates[item_id].state for item_id in decided))
    fault("bulk.written")


def is_cancelled(operation: BulkOperation) -> bool:
    """Whether it was cancelled by now: then nobody new is asked for."""
    return BulkOperation.objects.filter(pk=operation.pk, state=BulkState.CANCELLED).exists()
