"""Exports on the generic progress page."""

from typing import Any
from uuid import UUID

from jobs.progress.registry import Act, progress_register
from jobs.progress.snapshot import Progress, Reason, Stage
from reports.exports.control import export_cancel
from reports.exports.ending import page_of
from reports.exports.models import Export, ExportState
from reports.exports.models.export import OPEN
from reports.exports.ordering import ADD, VIEW

_STAGES = {ExportState.WAITING: Stage.WAITING, ExportState.RUNNING: Stage.RUNNING}


def export_progress(export_id: UUID) -> Progress | None:
    """A look at an export: one row. The total is reckoned from how far the keys are; see its note."""
    row = Export.objects.filter(pk=export_id).first()
    if row is None:
        return None
    is_open = row.state in OPEN
    total = None if row.rows_expected is None else max(row.rows, row.rows_expected)
    return Progress(
        id=row.pk,
        kind="export",
        title=f"Export: {row}",
        state=row.get_state_display(),
        stage=_STAGES.get(ExportState(row.state), Stage.OVER),
        total=total if is_open else row.rows,
        done=row.rows,
        started_at=row.started_at,
        finished_at=row.finished_at,
        reasons=[Reason(row.error, 1, "failed")] if row.state == ExportState.FAILED else [],
        actions=["cancel"] if is_open else [],
        unit="rows",
        note=_note(row),
        link=page_of(row),
    )


def _note(row: Export) -> str:
    if row.state == ExportState.RUNNING:
        return "How many rows there are in all is reckoned while they are read."
    if row.state == ExportState.WAITING:
        tried = f" The last try ended: {row.error}." if row.error else ""
        return f"Exports are written one after the other.{tried}"
    if row.state == ExportState.DONE:
        return "The file is ready; its page has the link."
    return ""


def _cancel(export_id: UUID, by: Any) -> object:
    return export_cancel(export_id=export_id, by=by)


def register() -> None:
    """Called when the apps are ready."""
    progress_register(
        "export",
        export_progress,
        permission=VIEW,
        acts={
            "cancel": Act(
                "Cancel", ADD, _cancel, "What is written so far is thrown away.", "danger"
            )
        },
    )
