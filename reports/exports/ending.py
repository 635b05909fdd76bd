"""Telling whoever ordered an export what came of it: in the inbox, and in Telegram if they named a chat."""

from datetime import timedelta

from django.conf import settings

from jobs.alerts import attention
from lib import clock
from notifications.inbox.accept import accept
from notifications.inbox.shapes import Draft
from notifications.telegram.services import message_queue
from notifications.telegram.templates import render
from reports.exports.links import link_of
from reports.exports.models import Export, ExportState

_INBOX_MOST = timedelta(days=15)


def export_tell(export: Export) -> None:
    """Write the messages about an export that is done or failed, in the transaction of its end."""
    is_done = export.state == ExportState.DONE
    if export.requested_by is not None and export.requested_by.is_active:
        text = (
            f"The export “{export}” is ready: {export.rows:,} rows."
            if is_done
            else f"The export “{export}” failed: {export.error}."
        )
        accept(
            [
                Draft(
                    targets=[(export.requested_by.pk, export.requested_by.get_username())],
                    message=text,
                    source="exports",
                    ttl_s=int(min(settings.EXPORT_KEEP, _INBOX_MOST).total_seconds()),
                    collapse_key=f"export:{export.pk}",
                    data={"export_id": str(export.pk), "link": page_of(export)},
                )
            ]
        )
    if export.tell_telegram_id is not None:
        message_queue(
            telegram_id=export.tell_telegram_id,
            message=render(
                "export_finished",
                settings.TELEGRAM_LANGUAGE,
                state="ready" if is_done else "failed",
                type=export.type,
                format=export.extension,
                rows=export.rows if is_done else None,
                size=export.bytes if is_done else None,
                error=None if is_done else export.error or "unknown",
                expires_at=export.expires_at if is_done else None,
                lasted=(export.finished_at or clock.now()) - export.created_at,
                url=link_of(export) if is_done else f"{settings.SITE_URL}{page_of(export)}",
            ),
            notification_type="export_finished",
            dedup_key=f"export_finished:{export.pk}",
        )
    if not is_done:
        attention(
            group=f"export:{export.pk}",
            title="An export failed",
            text=f"{export.requested_name} asked for {export}: {export.error}.",
            link=page_of(export),
        )


def page_of(export: Export) -> str:
    """The page of an export in the console."""
    return f"/admin/exports/export/{export.pk}/change/"
