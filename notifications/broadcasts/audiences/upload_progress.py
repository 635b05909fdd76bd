"""Imports of large files as operations of /progress/<uuid>."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.urls import reverse

from jobs.models import JobRecord, State
from jobs.progress.registry import Act, progress_register
from jobs.progress.snapshot import Progress, Reason, Stage
from notifications.broadcasts.audiences.uploads import OPEN, upload_cancel
from notifications.broadcasts.models import Upload

KIB = 1024
REASONS = 10
_ALIVE = (State.SCHEDULED, State.AVAILABLE, State.RUNNING)
_NOTES = {
    Upload.State.CANCELLED: "Cancelled; nothing of it was kept.",
    Upload.State.WAITING: "It waits for a worker.",
}


def upload_progress(upload_id: UUID) -> Progress | None:
    """A look at an import: kilobytes while it is read, lines when it is over. Two queries."""
    row = Upload.objects.select_related("audience").filter(pk=upload_id).first()
    if row is None:
        return None
    told: dict[str, Any] = {
        "id": row.pk, "kind": "import", "title": f"Import of {row.name}", "state": str(row.state),
        "started_at": row.started_at, "finished_at": row.finished_at,
        "link": reverse("admin:broadcasts_audience_changelist"),
    }  # fmt: skip
    if row.state in OPEN:
        return _open(row, told)
    if row.audience is None:
        note = row.error and f"{row.error[:1].upper()}{row.error[1:]}. Nothing was kept."
        gone = "The list was forgotten since." if row.state == Upload.State.DONE else ""
        note = note or _NOTES.get(Upload.State(row.state), "") or gone
        return Progress(**told, stage=Stage.OVER, note=note)
    return _done(row, told)


def _open(row: Upload, told: dict[str, Any]) -> Progress:
    assert row.job_id is not None  # written together with the row
    job = JobRecord.objects.filter(pk=row.job_id).only("state", "progress").first()
    done = int((job.progress or {}).get("done", 0)) // KIB if job is not None else 0
    if job is None or job.state not in _ALIVE:
        note = "Its job ended without a result; see why in its page, or import the file again."
        link = reverse("admin:jobs_jobrecord_change", args=[row.job_id]) if job else told["link"]
        told |= {"state": "failed", "link": link}
        return Progress(**told, stage=Stage.OVER, note=note)
    is_running = row.state == Upload.State.RUNNING
    return Progress(
        **told,
        stage=Stage.RUNNING if is_running else Stage.WAITING,
        total=-(-row.size // KIB),
        done=done,
        unit="kB",
        note=str((job.progress or {}).get("msg", ""))
        if is_running
        else _NOTES[Upload.State.WAITING],
        actions=["cancel"],
    )


def _done(row: Upload, told: dict[str, Any]) -> Progress:
    audience = row.audience
    assert audience is not None
    told["link"] = reverse("admin:broadcasts_audience_change", args=[audience.pk])
    reasons = Counter(_kind_of(str(each["reason"])) for each in audience.rejects)
    kept = len(audience.rejects)
    which = f" (among the first {kept:,} of them)" if kept < audience.rejected else ""
    note = f"{audience.members:,} people are in the list."
    if audience.duplicates:
        note += f" {audience.duplicates:,} were named more than once."
    return Progress(
        **told,
        stage=Stage.OVER,
        total=audience.rows,
        done=audience.rows - audience.rejected,
        skipped=audience.rejected,
        unit="lines",
        note=note,
        reasons=[
            Reason(f"{text}{which}", count, "skipped")
            for text, count in reasons.most_common(REASONS)
        ],
    )


def _kind_of(reason: str) -> str:
    """Without what stood in the line: “User_id is no number”."""
    head, _, rest = reason.partition(" “")
    return f"{head[:1].upper()}{head[1:]}{rest.rpartition('”')[2]}"


def register() -> None:
    """Called when the apps are ready."""
    progress_register(
        "import",
        upload_progress,
        permission="broadcasts.view_audience",
        acts={
            "cancel": Act(
                "Cancel",
                "broadcasts.add_audience",
                lambda upload_id, by: upload_cancel(upload_id=upload_id, by=by),
                "No list is made of it; nothing of the file is kept.",
                "danger",
            )
        },
    )
