"""Acting on a batch: each file once, its outcome with a reason, the rest tried again.

A file is pending until its outcome is written, so a worker that is killed leaves the others as they
are and its own file pending. Locks: the rule, then the batch, then its files.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from jobs import sql
from lib import clock
from lib.errors import DomainError, Unavailable
from monitoring.files.actions import (
    Action,
    ActionFailed,
    ActionRefused,
    ActionResult,
    ActionSkipped,
    FileChange,
    action_find,
)
from monitoring.files.errors import DirectoryRefused, FileMoving, FileRefused
from monitoring.files.models import FileBatch, FileEvent, Rule
from monitoring.files.places import Place
from monitoring.files.rejects import Rejects
from monitoring.files.sight import digest

PAGE = 100
SHOWN = 50  # files that an action for whole batches is told by name
SLICE_S = 30.0  # then others of the queue have their turn
_IN_MEMORY = 4 * 1024 * 1024
Outcome = FileEvent.Outcome

logger = logging.getLogger("switchboard.files")


@dataclass(frozen=True, slots=True)
class Turn:
    """How far a batch is after a turn of work. error: the last one, if a file is to be tried again."""

    pending: int
    error: str = ""
    is_cut: bool = False  # the turn ended by the clock


@dataclass(frozen=True, slots=True)
class End:
    """What is written of one file."""

    outcome: str
    reason: str
    accepted: int = 0
    rejected: int = 0
    rejects: tuple[dict[str, object], ...] = ()
    report: str = ""


def batch_act(batch: FileBatch, *, attempt: int, is_last: bool, check: Callable[[], None]) -> Turn:
    """Work on the pending files of a batch. check is called between files and may raise.

    is_last: what fails now has failed for good. Repeat: only what is pending is worked on.
    """
    rule = batch.rule
    FileBatch.objects.filter(pk=batch.pk).exclude(state=FileBatch.State.FINISHED).update(
        state=FileBatch.State.RUNNING, started_at=Coalesce(F("started_at"), clock.now())
    )
    action = action_find(rule.action)
    if action is None:
        said = f"There is no action {rule.action!r} any more; edit the rule, then retry."
        _end_many(batch, End(Outcome.FAILED, said))
        return Turn(0)
    useless = [each for each in rule.changes if each not in action.changes]
    if useless:
        said = f"{action.title}: nothing to do when a file is %s."
        for change in useless:
            _end_many(batch, End(Outcome.SKIPPED, said % change), change=change)
    if action.run_many is not None:
        return _act_whole(batch, action, is_last=is_last)
    return _act_each(batch, action, attempt=attempt, is_last=is_last, check=check)


def _act_whole(batch: FileBatch, action: Action, *, is_last: bool) -> Turn:
    """One call for all, in the transaction that writes the outcome: its rows are there once."""
    assert action.run_many is not None
    try:
        with transaction.atomic():
            _lock(batch)
            pending = FileEvent.objects.filter(batch=batch, outcome=Outcome.PENDING)
            shown = [_change(batch.rule, each, 1) for each in pending.order_by("id")[:SHOWN]]
            if shown:
                result = action.run_many(shown, _counts(batch))
                _end_many(batch, _end_of(result))
            else:
                _finish_if_done(batch)
        return Turn(0)
    except (ActionRefused, ActionFailed, DomainError) as exc:
        if is_last or isinstance(exc, ActionRefused) or not _is_passing(exc):
            _end_many(batch, End(Outcome.FAILED, _sentence(exc)))
            return Turn(0)
        return Turn(1, _sentence(exc))


def _act_each(
    batch: FileBatch, action: Action, *, attempt: int, is_last: bool, check: Callable[[], None]
) -> Turn:
    until = time.monotonic() + SLICE_S
    after, pending, error = 0, 0, ""
    while page := list(
        FileEvent.objects.filter(batch=batch, outcome=Outcome.PENDING, pk__gt=after).order_by("id")[
            :PAGE
        ]
    ):
        for event in page:
            check()
            if time.monotonic() > until:
                return Turn(1, is_cut=True)
            after = event.pk
            said = _act_on(batch, event, action, attempt=attempt, is_last=is_last)
            if said:
                pending, error = pending + 1, f"{event.path}: {said}"
    if not pending:
        with transaction.atomic():
            _lock(batch)
            _finish_if_done(batch)
    return Turn(pending, error)


def _act_on(
    batch: FileBatch, event: FileEvent, action: Action, *, attempt: int, is_last: bool
) -> str:
    """One file. Returns what went wrong if it is to be tried again, else nothing."""
    assert action.run is not None
    change = _change(batch.rule, event, attempt, check_content=True)
    try:
        end = _reported(_end_of(action.run(change)), change.rejects)
    except ActionSkipped as exc:
        end = End(Outcome.SKIPPED, _sentence(exc))
    except ActionRefused as exc:
        end = _reported(End(Outcome.FAILED, _sentence(exc)), change.rejects)
    except Exception as exc:
        said = _sentence(exc)
        if not isinstance(exc, ActionFailed | DomainError | OSError):
            logger.exception("an action failed", extra={"event": event.pk, "kind": action.name})
        if _is_passing(exc) and not is_last:
            FileEvent.objects.filter(pk=event.pk, outcome=Outcome.PENDING).update(
                reason=said, attempts=F("attempts") + 1
            )
            return said
        end = End(Outcome.FAILED, said)
    finally:
        change.rejects.close()
    _end_one(batch, event, end)
    return ""


def _end_of(result: ActionResult) -> End:
    outcome = Outcome.SKIPPED if result.is_skipped else Outcome.DONE
    return End(outcome, result.note, result.accepted)


def _reported(end: End, rejects: Rejects) -> End:
    """With the lines that were not taken, and the report of them beside the file."""
    reason, report = end.reason, ""
    try:
        report = rejects.publish()
    except (OSError, DirectoryRefused) as exc:
        if rejects.count:  # the first of them stand in the row all the same
            reason = f"{reason} The report could not be written: {_words(exc)}.".strip()
    return replace(
        end, reason=reason, rejected=rejects.count, rejects=tuple(rejects.first), report=report
    )


def _change(
    rule: Rule, event: FileEvent, attempt: int, *, check_content: bool = False
) -> FileChange:
    opener: Callable[[], Any] = partial(_content, rule.directory, event.path, event.sha256)
    return FileChange(
        key=f"files:{event.pk}",
        batch_id=str(event.batch_id),
        rule_id=rule.pk,
        rule_name=rule.name,
        directory=rule.directory,
        change=event.change,
        path=event.path,
        old_path=event.old_path,
        size=event.size,
        sha256=event.sha256,
        attempt=attempt,
        options=rule.options,
        rejects=Rejects(rule.directory, event.path),
        _opener=opener if check_content else _closed,
    )


def _closed() -> Any:
    raise TypeError("an action for whole batches reads no files")


@contextmanager
def _content(directory: str, path: str, sha256: str | None) -> Iterator[BinaryIO]:
    """A copy of the recorded content, so that nobody can change it while it is worked on."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
        try:
            with Place(directory) as place, place.open(path) as file:
                _size_check(place, path)
                _, found = digest(file, path, lambda: None, copy)  # type: ignore[arg-type]
        except FileNotFoundError:
            raise ActionSkipped("It was gone before it could be read.") from None
        except (FileRefused, DirectoryRefused) as exc:
            raise ActionRefused(_sentence(exc)) from None
        except FileMoving:
            raise ActionFailed("It is being written to.") from None
        except OSError as exc:
            raise ActionFailed(_sentence(exc)) from None
        if found != sha256:
            raise ActionSkipped("It has changed since; that change has a line of its own.")
        copy.seek(0)
        yield copy  # type: ignore[misc]


def _size_check(place: Place, path: str) -> None:
    entry = place.stat(path)
    if entry is not None and entry.found.st_size > settings.FILE_MAX_BYTES:
        size = entry.found.st_size
        raise ActionRefused(
            f"It has {size:,} bytes; an action reads {settings.FILE_MAX_BYTES:,} at most "
            "(FILE_MAX_BYTES)."
        )


def _lock(batch: FileBatch) -> None:
    Rule.objects.select_for_update(no_key=True).only("pk").get(pk=batch.rule_id)
    FileBatch.objects.select_for_update(no_key=True).only("pk").get(pk=batch.pk)


def _end_one(batch: FileBatch, event: FileEvent, end: End) -> None:
    with transaction.atomic():
        _lock(batch)
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


def _end_many(batch: FileBatch, end: End, *, change: str = "") -> None:
    """The same outcome for all that are pending, or for those with one kind of change."""
    with transaction.atomic():
        _lock(batch)
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
            _finish_if_done(batch)


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


def _finish_if_done(batch: FileBatch) -> None:
    """The last outcome ends the batch."""
    FileBatch.objects.filter(
        pk=batch.pk, total=F("done") + F("failed") + F("skipped"), finished_at=None
    ).update(state=FileBatch.State.FINISHED, finished_at=clock.now())


def _counts(batch: FileBatch) -> dict[str, int]:
    found = sql.rows(
        "SELECT change, count(*) FROM files_event WHERE batch_id = %s AND outcome = 'pending' GROUP BY 1",
        [batch.pk],
    )
    return {row[0]: int(row[1]) for row in found}


def batch_get(batch_id: UUID) -> FileBatch | None:
    """A batch with its rule; None if it is gone."""
    return FileBatch.objects.select_related("rule").filter(pk=batch_id).first()


def _is_passing(exc: Exception) -> bool:
    """May it go well another time? A rule of the domain that forbids it will forbid it again."""
    return not isinstance(exc, DomainError) or isinstance(exc, Unavailable)


def _sentence(exc: Exception) -> str:
    """What went wrong, for people; what is none of ours only by its kind."""
    if isinstance(exc, DomainError):
        text = exc.message
    elif isinstance(exc, OSError):
        text = f"it cannot be read: {_words(exc)}"
    elif isinstance(exc, ActionFailed | ActionRefused | ActionSkipped | FileRefused):
        text = str(exc)
    else:
        text = f"the action raised {type(exc).__name__}; the log has the traceback"
    text = text.strip().replace("\x00", "")[:1000] or type(exc).__name__
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _words(exc: Exception) -> str:
    """The system's own words for an error."""
    return (exc.strerror if isinstance(exc, OSError) else str(exc)) or type(exc).__name__
