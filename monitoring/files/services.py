"""What people do with rules and batches. Each is a transaction with its line in the audit log."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from monitoring.files.drafts import MEANING, RuleDraft, draft_check
from monitoring.files.errors import (
    BatchNotFailed,
    BatchUnknown,
    RuleChanged,
    RuleNameTaken,
    RuleUnknown,
)
from monitoring.files.models import FileBatch, FileEvent, Rule
from monitoring.files.tasks import file_event

T = TypeVar("T")

RULE, BATCH = "file rule", "file batch"


def rule_create(draft: RuleDraft, *, by: Account) -> Rule:
    """Make a rule; a watcher takes it on within a second.

    Raises RuleInvalid, DirectoryRefused, RuleNameTaken.
    """
    columns, now = draft_check(draft), clock.now()
    author = by.get_username() if by is not None else ""
    with transaction.atomic():
        rule = _named(
            lambda: Rule.objects.create(
                **columns, created_by=author, created_at=now, updated_at=now
            ),
            columns["name"],
        )
        audit_write(by, "files.create", RULE, rule.pk, name=rule.name, directory=rule.directory)
    return rule


def rule_edit(*, rule_id: int, draft: RuleDraft, version: int | None = None, by: Account) -> Rule:
    """Change a rule. version: the one that was edited; another one by now is refused.

    If it means other files from now on, they are looked at as on its first day: what lies there
    counts only if takes_existing says so, and what is known already is not taken again. Another
    directory begins with an empty index. Repeat: saving what it is says nothing new. Locks: the rule.
    Raises RuleUnknown, RuleChanged, RuleInvalid, DirectoryRefused, RuleNameTaken.
    """
    columns = draft_check(draft)
    with transaction.atomic():
        rule = _locked(rule_id)
        if version is not None and version != rule.version:
            raise RuleChanged("somebody has edited the rule meanwhile; look again, then edit")
        changed = {name: value for name, value in columns.items() if getattr(rule, name) != value}
        for name, value in changed.items():
            setattr(rule, name, value)
        if set(changed) & set(MEANING):
            rule.indexed_at = None
        if "directory" in changed:
            _index_forget(rule_id)
        # Also without a change: who saves a rule whose directory is on another disk now means it.
        rule.version += 1
        rule.updated_at = clock.now()
        _named(rule.save, columns["name"])
        audit_write(
            by, "files.edit", RULE, rule_id, **{k: str(v)[:300] for k, v in changed.items()}
        )
    return rule


def rule_pause(*, rule_id: int, by: Account) -> None:
    """Watch it no more. What was recorded is still acted on. Safe to repeat. Raises RuleUnknown."""
    with transaction.atomic():
        rule = _locked(rule_id)
        if rule.paused_at is None:
            _change(rule, paused_at=clock.now(), problem="", problem_at=None)
            audit_write(by, "files.pause", RULE, rule_id)


def rule_resume(*, rule_id: int, by: Account) -> None:
    """Watch it again; what changed meanwhile is found. Safe to repeat. Raises RuleUnknown."""
    with transaction.atomic():
        rule = _locked(rule_id)
        if rule.paused_at is not None:
            _change(rule, paused_at=None)
            audit_write(by, "files.resume", RULE, rule_id)


def rule_scan(*, rule_id: int, by: Account) -> None:
    """Have everything looked at now. Raises RuleUnknown, RuleChanged if it is paused."""
    with transaction.atomic():
        rule = _locked(rule_id)
        if rule.paused_at is not None:
            raise RuleChanged(f"{rule.name} is paused; resume it instead")
        Rule.objects.filter(pk=rule_id).update(scan_wanted_at=clock.now())
        audit_write(by, "files.scan", RULE, rule_id)


def rule_delete(*, rule_id: int, by: Account) -> None:
    """Delete a rule with its index and history. The files stay. Raises RuleUnknown."""
    with transaction.atomic():
        rule = _locked(rule_id)
        of_rule = "batch_id IN (SELECT id FROM files_batch WHERE rule_id = %s)"
        sql.run(f"DELETE FROM files_event WHERE {of_rule}", [rule_id])
        sql.run("DELETE FROM files_batch WHERE rule_id = %s", [rule_id])
        sql.run("DELETE FROM files_file WHERE rule_id = %s", [rule_id])
        sql.run("DELETE FROM files_rule WHERE id = %s", [rule_id])
        audit_write(by, "files.delete", RULE, rule_id, name=rule.name, directory=rule.directory)


def batch_retry(*, batch_id: UUID, by: Account) -> int:
    """Try the failed files of a batch again, with all their tries. Returns how many.

    Raises BatchUnknown, BatchNotFailed. Locks: the rule, the batch, its files.
    """
    found = FileBatch.objects.filter(pk=batch_id).values_list("rule_id", flat=True).first()
    if found is None:
        raise BatchUnknown(f"there is no batch {batch_id}")
    with transaction.atomic():
        _locked(found)
        batch = FileBatch.objects.select_for_update(no_key=True).get(pk=batch_id)
        failed = FileEvent.objects.filter(batch=batch, outcome=FileEvent.Outcome.FAILED)
        count = failed.update(
            outcome=FileEvent.Outcome.PENDING, reason="", attempts=0, finished_at=None
        )
        if not count:
            raise BatchNotFailed(f"no file of batch {batch_id} has failed")
        job = file_event.enqueue(batch_id=str(batch_id), partition=f"files:{found}")
        FileBatch.objects.filter(pk=batch_id).update(
            failed=F("failed") - count,
            state=FileBatch.State.WAITING,
            finished_at=None,
            job_id=job.id,
        )
        Rule.objects.filter(pk=found).update(failed=F("failed") - count)
        audit_write(by, "files.retry", BATCH, batch_id, files=count)
    return count


def _locked(rule_id: int) -> Rule:
    rule = Rule.objects.select_for_update(no_key=True).filter(pk=rule_id).first()
    if rule is None:
        raise RuleUnknown(f"there is no file rule {rule_id}")
    return rule


def _change(rule: Rule, **fields: Any) -> None:
    Rule.objects.filter(pk=rule.pk).update(
        **fields, version=F("version") + 1, updated_at=clock.now()
    )


def _named(write: Callable[[], T], name: str) -> T:
    """Write, and say in words what the constraint on names says."""
    try:
        with transaction.atomic():
            return write()
    except IntegrityError as exc:
        if "files_rule_name" in str(exc):
            raise RuleNameTaken(f"there is a rule named {name!r} already") from None
        raise


def _index_forget(rule_id: int) -> None:
    """What is known of another directory says nothing of this one; the history stays."""
    sql.run(
        """UPDATE files_file SET state = 'left_out', sha256 = NULL, inode = 0, problem = ''
        WHERE rule_id = %s""",
        [rule_id],
    )
