"""The end of an operation, its halt, and the summary for whoever began it."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from jobs.alerts import attention
from lib import clock
from notifications.telegram.services import message_queue
from notifications.telegram.templates import render
from subscriptions.bulk.rules import REASONS, say_kind
from subscriptions.models import BulkItem, BulkOperation, BulkState, ItemState

ERRORS_SHOWN = 10


def operation_close(operation_id: UUID) -> bool:
    """End an operation that has no open items, and send its summary; True if this call ended it.

    Locks: the operation. Repeat: one call ends it.
    """
    with transaction.atomic():
        open_items = BulkItem.objects.filter(
            operation_id=OuterRef("pk"), state__in=[ItemState.PENDING, ItemState.RUNNING]
        )
        operation = (
            BulkOperation.objects.select_for_update()
            .filter(
                ~Exists(open_items),
                pk=operation_id,
                state__in=[BulkState.RUNNING, BulkState.CANCELLED],
                finished_at=None,
            )
            .first()
        )
        if operation is None:
            return False
        if operation.state == BulkState.RUNNING:
            operation.state = BulkState.DONE
        operation.finished_at = clock.now()
        operation.save(update_fields=["state", "finished_at"])
        summary_tell(operation)
    return True


def operation_halt(
    operation_id: UUID, why: str, then: str = "Put it right, then resume it."
) -> None:
    """Pause an operation that cannot go on, keep why, and tell the admins. Repeat: told once per halt."""
    with transaction.atomic():
        halted = BulkOperation.objects.filter(pk=operation_id, state=BulkState.RUNNING).update(
            state=BulkState.PAUSED, pause_reason=f"{why}. {then}"
        )
        if halted:
            attention(
                group=f"bulk:{operation_id}",
                title="A bulk operation was paused",
                text=f"{why}. {then}",
                severity="critical",
                link=f"/progress/{operation_id}",
            )


def summary_tell(operation: BulkOperation) -> None:
    """Queue the summary for the initiator, if there is a chat to tell. In the transaction of the end."""
    if operation.tell_telegram_id is None or operation.finished_at is None:
        return
    failed = BulkItem.objects.filter(operation=operation, state=ItemState.FAILED).order_by("pk")
    message_queue(
        telegram_id=operation.tell_telegram_id,
        message=render(
            "bulk_finished",
            settings.TELEGRAM_LANGUAGE,
            operation=operation.kind,
            state="cancelled" if operation.state == BulkState.CANCELLED else "completed",
            initiated_by=operation.created_by or "the system",
            total=operation.total,
            succeeded=operation.done,
            failed=operation.failed,
            skipped=operation.skipped,
            lasted=operation.finished_at - (operation.started_at or operation.created_at),
            errors=[
                {"name": item.given, "reason": REASONS.get(item.reason, item.reason)}
                for item in failed[:ERRORS_SHOWN]
            ],
            url=f"{settings.SITE_URL}/progress/{operation.pk}",
        ),
        notification_type="bulk_finished",
        dedup_key=f"bulk_finished:{operation.pk}:{operation.finished_at.isoformat()}",
    )


def title_of(operation: BulkOperation) -> str:
    """What an operation does and to whom, for people: Undo: disable (a list of 120)."""
    undo = "Undo: " if operation.is_undo else ""
    what = say_kind(operation.kind, operation.params)
    return f"{undo}{what} ({operation.selection.get('text') or 'a list'})"
