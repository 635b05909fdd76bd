"""Acting on a batch: each file once, its outcome with a reason, the rest tried again.

A file is pending until its outcome is written, so a worker that is killed leaves the others as they
are and its own file pending.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

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
    ActionSkipped,
    FileChange,
    action_find,
)
from monitoring.files.content import ContentMissing, Wanted, content_copy, content_none
from monitoring.files.ending import (
    End,
    Outcome,
    end_many,
    end_of,
    end_one,
    finish_if_done,
    lock,
    reported,
)
from monitoring.files.models import Change, FileBatch, FileEvent, Rule
from monitoring.files.rejects import Rejects
from monitoring.files.words import sentence

PAGE = 100
SHOWN = 50  # files that an action for whole batches is told by name
SLICE_S = 30.0  # then others of the queue have their turn

logger = logging.getLogger("switchboard.files")


@dataclass(frozen=True, slots=True)
class Turn:
    """How far a batch is after a turn of work. error: the last one, if a file is to be tried again."""

    pending: int
    error: str = ""
    is_cut: bool = False  # the turn ended by the clock


class _Overtaken(Exception):
    """Another worker has written the outcome; what we did is rolled back."""


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
        end_many(batch, End(Outcome.FAILED, said))
        return Turn(0)
    useless = [each for each in rule.changes if each not in action.changes]
    if useless:
        said = f"{action.title}: nothing to do when a file is %s."
        for change in useless:
            end_many(batch, End(Outcome.SKIPPED, said % change), change=change)
    if action.run_many is not None:
        return _act_whole(batch, action, is_last=is_last)
    return _act_each(batch, action, attempt=attempt, is_last=is_last, check=check)


def _act_whole(batch: FileBatch, action: Action, *, is_last: bool) -> Turn:
    """One call for all, in the transaction that writes the outcome: its rows are there once."""
    assert action.run_many is not None
    try:
        with transaction.atomic():
            lock(batch)
            pending = FileEvent.objects.filter(batch=batch, outcome=Outcome.PENDING)
            shown = [_change(batch.rule, each, 1) for each in pending.order_by("id")[:SHOWN]]
            if shown:
                result = action.run_many(shown, _counts(batch))
                end_many(batch, end_of(result))
            else:
                finish_if_done(batch)
        return Turn(0)
    except (ActionRefused, ActionFailed, DomainError) as exc:
        if is_last or isinstance(exc, ActionRefused) or not _is_passing(exc):
            end_many(batch, End(Outcome.FAILED, sentence(exc)))
            return Turn(0)
        return Turn(1, sentence(exc))


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
            lock(batch)
            finish_if_done(batch)
    return Turn(pending, error)


def _act_on(
    batch: FileBatch, event: FileEvent, action: Action, *, attempt: int, is_last: bool
) -> str:
    """One file. Returns what went wrong if it is to be tried again, else nothing."""
    assert action.run is not None
    change = _change(batch.rule, event, attempt, check_content=True)
    try:
        end = _worked(batch, event, action, change)
    except _Overtaken:
        return ""
    except ActionSkipped as exc:
        end = End(Outcome.SKIPPED, sentence(exc))
    except ActionRefused as exc:
        end = reported(End(Outcome.FAILED, sentence(exc)), change.rejects)
    except Exception as exc:
        said = sentence(exc)
        if not isinstance(exc, ActionFailed | DomainError | OSError):
            logger.exception("an action failed", extra={"event": event.pk, "kind": action.name})
        if _is_passing(exc) and not is_last:
            FileEvent.objects.filter(pk=event.pk, outcome=Outcome.PENDING).update(
                reason=said, attempts=F("attempts") + 1
            )
            return said
        outcome = Outcome.SKIPPED if isinstance(exc, ContentMissing) else Outcome.FAILED
        end = End(outcome, said)
    finally:
        change.rejects.close()
    if end is not None:
        end_one(batch, event, end)
    return ""


def _worked(batch: FileBatch, event: FileEvent, action: Action, change: FileChange) -> End | None:
    """Run the action. Its end, or None if that is written already, in the transaction of the work."""
    assert action.run is not None
    if not action.is_atomic:
        return reported(end_of(action.run(change)), change.rejects)
    with transaction.atomic():
        if not end_one(batch, event, reported(end_of(action.run(change)), change.rejects)):
            raise _Overtaken
    return None


def _change(
    rule: Rule, event: FileEvent, attempt: int, *, check_content: bool = False
) -> FileChange:
    wanted = Wanted(
        rule_id=rule.pk,
        directory=rule.directory,
        path=event.path,
        sha256=event.sha256,
        takes_newer=Change.MODIFIED not in rule.changes,
    )
    opener: Callable[[], Any] = partial(content_copy, wanted)
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
        _opener=opener if check_content else content_none,
    )


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
