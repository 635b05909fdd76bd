"""Cancelling an export, revoking its link, deleting its file, opening it for a download."""

from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import F

from jobs.audit import Account, audit_write
from lib import clock
from reports.exports.errors import ExportForbidden, ExportImpossible, ExportUnknown, FileGone
from reports.exports.models import Export, ExportState
from reports.exports.models.export import OPEN
from reports.exports.ordering import ADD, OBJECT, OPERATE, holds, may_export
from reports.exports.sources import source_get
from reports.exports.stores import Pieces, store
from reports.exports.writing import downloads_note


def export_get(export_id: UUID) -> Export:
    """One export. Raises ExportUnknown."""
    found = Export.objects.filter(pk=export_id).first()
    if found is None:
        raise ExportUnknown
    return found


def export_cancel(*, export_id: UUID, by: Account) -> Export:
    """No file comes of it, from the moment this returns. Locks: the export. Repeat: nothing.

    Raises ExportUnknown, ExportForbidden, ExportImpossible once it has a file.
    """
    with transaction.atomic():
        export = _locked(export_id, by)
        if export.state == ExportState.CANCELLED:
            return export
        if export.state not in OPEN:
            raise ExportImpossible(f"The export is {export.get_state_display()}.")
        export.state, export.finished_at = ExportState.CANCELLED, clock.now()
        export.save(update_fields=["state", "finished_at"])
        audit_write(by, "exports.cancel", OBJECT, export.pk)
    return export


def export_revoke(*, export_id: UUID, by: Account) -> Export:
    """Links that were given out open nothing any more; the export has a new one.

    Raises ExportUnknown, ExportForbidden, ExportImpossible without a file. Repeat: a further link.
    """
    with transaction.atomic():
        export = _locked(export_id, by)
        if export.state != ExportState.DONE:
            raise ExportImpossible(f"The export is {export.get_state_display()}.")
        Export.objects.filter(pk=export.pk).update(link_version=F("link_version") + 1)
        export.refresh_from_db()
        audit_write(by, "exports.revoke", OBJECT, export.pk)
    return export


def export_delete(*, export_id: UUID, by: Account) -> Export:
    """The file cannot be had from the moment this returns; a job takes it away. Repeat: nothing.

    Raises ExportUnknown, ExportForbidden, ExportImpossible while it is being written.
    """
    with transaction.atomic():
        export = _locked(export_id, by)
        if export.state in OPEN:
            raise ExportImpossible("Cancel it first: its file is not written yet.")
        if export.state == ExportState.DONE:
            from reports.exports.tasks import remove_export_file  # noqa: PLC0415 - a job of ours

            export.state = ExportState.DELETED
            export.save(update_fields=["state"])
            remove_export_file.enqueue(name=export.storage_name)
            audit_write(by, "exports.delete", OBJECT, export.pk)
    return export


def export_open(export: Export, *, by: Account, is_by_link: bool = False) -> Pieces:
    """The content of the file, piece by piece; that it was given out is noted and audited.

    is_by_link: the link has said so already. Raises ExportForbidden, ExportImpossible, FileGone,
    StoreAway.
    """
    if not is_by_link:
        may_export(by, source_get(export.type))
    if export.state in {ExportState.EXPIRED, ExportState.DELETED}:
        raise FileGone(f"The file is {export.get_state_display()}. Order it again.")
    if export.state != ExportState.DONE:
        raise ExportImpossible(f"The export is {export.get_state_display()}.")
    if export.expires_at is not None and export.expires_at <= clock.now():
        raise FileGone("The time of the file is over. Order it again.")
    content = store().pieces(export.storage_name)
    with transaction.atomic():
        downloads_note(export.pk)
        audit_write(by, "exports.download", OBJECT, export.pk, by_link=is_by_link)
    return content


def may_operate(by: Account, export: Export) -> bool:
    """Whether this account may cancel, revoke or delete it: its own, or all with a permission."""
    if holds(by, OPERATE):
        return True
    is_own = isinstance(by, AbstractBaseUser) and by.pk == export.requested_by_id
    return is_own and holds(by, ADD)


def _locked(export_id: UUID, by: Account) -> Export:
    export = Export.objects.select_for_update(no_key=True).filter(pk=export_id).first()
    if export is None:
        raise ExportUnknown
    if not may_operate(by, export):
        raise ExportForbidden(f"This needs the permission {OPERATE}, or to be your own export.")
    return export
