"""Writing what became of files, and the totals that follow: pending + done + failed + skipped = total.

Locks: the rule, then the batch, then its files.
"""

import logging
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import F

from lib import clock
from monitoring.files.actions import ActionResult
from monitoring.files.errors import DirectoryRefused
from monitoring.files.models import FileBatch, FileEvent, Rule
from monitoring.files.rejects import Rejects
from monitoring.files.words import words

Outcome = FileEvent.Outcome

logger = logging.getLogger("switchboard.files")


@dataclass(frozen=True, slots=True)
class End:
    """What is written of one file."""

    outcome: str
    reason: str
    accepted: int = 0
    rejected: int = 0
    rejects: tuple[dict[str, object], ...] = ()
    report: str = ""


def end_of(result: ActionResult) -> End:
    outcome = Outcome.SKIPPED if result.is_skipped else Outcome.DONE
    return End(outcome, result.note, result.accepted)


def reported(end: End, rejects: Rejects) -> End:
    """With the lines that were not taken, and the report of them beside the file."""
    reason, report = end.reason, ""
    try:
        report = rejects.publish()
    except (OSError, DirectoryRefused) as exc:
        if rejects.count:  # the first of them stand in the row all the same
            reason = f"{reason} The report could not be written: {words(exc)}.".strip()
    return replace(
        end, reason=reason, rejected=rejects.count, rejects=tuple(rejects.first), report=report
    )


def lock(batch: FileBatch) -> None:
    Rule.objects.select_for_update(no_key=True).only("pk").get(pk=batch.rule_id)
    FileBatch.objects.select_for_update(no_key=True).only("pk").get(pk=batch.pk)


def end_one(batch: FileBatch, event: FileEvent, end: End) -> bool:
    """Write the outcome of a pending file. False: somebody has written one already."""
    with transaction.atomic():
        lock(batch)
        changed = FileEvent.objects.filter(pk=event.pk, outcome=Outcome.PENDING).update(
            outcome=end.outcome,
            reason=end.reason,
            attempts=F("attempts") + 1,
            accepted=end.accepted,
            rejected=end.rejected,
            rejects=list(end.rejects),
            report=end.report,
            finished_at=clock.now(),
        )
        _count(batch, end, changed)
    if changed:
        level = logging.WARNING if end.outcome == Outcome.FAILED else logging.INFO
        logger.log(
            level,
            "file %s",
            end.outcome,
            extra={
                "event": event.pk, "batch": str(batch.pk), "rule": batch.rule_id,
                "accepted": end.accepted, "rejected": end.rejected,
            },
        )  # fmt: skip
    return changed > 0


def end_many(batch: FileBatch, end: End, *, change: str = "") -> None:
    """The same outcome for all that are pending, or for those with one kind of change."""
    with transaction.atomic():
        lock(batch)
        pending = FileEvent.objects.filter(batch=batch, outcome=Outcome.PENDING)
        if change:
            pending = pending.filter(change=change)
        changed = pending.update(
            outcome=end.outcome,
            reason=end.reason,
            attempts=F("attempts") + 1,
            finished_at=clock.now(),
        )
        _count(batch, End(end.outcome, "", end.accepted), changed)
        if not change:
            finish_if_done(batch)


def _count(batch: FileBatch, end: End, files: int) -> None:
    """Keep the totals of batch and rule, under their locks."""
    if not files:
        return
    column = {Outcome.DONE: "done", Outcome.FAILED: "failed", Outcome.SKIPPED: "skipped"}[
        Outcome(end.outcome)
    ]
    FileBatch.objects.filter(pk=batch.pk).update(
        **{column: F(column) + files},
        accepted=F("accepted") + end.accepted,
        rejected=F("rejected") + end.rejected,
    )
    Rule.objects.filter(pk=batch.rule_id).update(
        **{column: F(column) + files}, rejected=F("rejected") + end.rejected
    )


def finish_if_done(batch: FileBatch) -> None:
    """The last outcome ends the batch."""
    FileBatch.objects.filter(
        pk=batch.pk, total=F("done") + F("failed") + F("skipped"), finished_at=None
    ).update(state=FileBatch.State.FINISHED, finished_at=clock.now())
