"""What operators rely on: alerts when nobody watches, progress by link, numbers, edits of rules."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from jobs.models import Job
from jobs.operations import job_cancel
from jobs.progress.registry import operation_act, operation_find
from jobs.progress.snapshot import Stage
from jobs.testing import job_perform
from lib import clock
from lib.ids import uuid7
from monitoring.alerts.models import Alert
from monitoring.files import metrics
from monitoring.files.drafts import RuleDraft
from monitoring.files.errors import RuleUnknown
from monitoring.files.leader import Self, watcher_beat, watcher_start, watcher_stop
from monitoring.files.look import RuleView
from monitoring.files.models import FileBatch, FileEvent, Rule, WatchedFile
from monitoring.files.selectors.watchers import watchers_view
from monitoring.files.services import batch_retry, rule_delete, rule_edit, rule_pause
from monitoring.files.watched import Watched
from tests.monitoring.files.rows import Drop, lead, look, new_events, rule_make, settle


def edited(rule: Rule, **changes: Any) -> Rule:
    rule.refresh_from_db()
    before = {name: getattr(rule, name) for name in RuleDraft.__slots__}
    return rule_edit(rule_id=rule.pk, draft=RuleDraft(**{**before, **changes}), by=None)


def test_admins_are_told_when_nobody_watches(rule: Rule) -> None:
    job_perform("files.check_watchers")
    assert Alert.objects.get().key == "files:watchers"


def test_nobody_is_told_while_a_watcher_beats_or_nothing_is_to_be_watched(rule: Rule) -> None:
    me = Self.here()
    watcher_start(me)
    watcher_beat(me, is_leading=True, rules=1)
    job_perform("files.check_watchers")
    Rule.objects.update(paused_at=clock.now())
    watcher_stop(me)
    job_perform("files.check_watchers")
    assert not Alert.objects.exists()


def test_a_watcher_that_beats_no_more_is_silent(rule: Rule) -> None:
    me = Self.here()
    watcher_start(me)
    watcher_beat(me, is_leading=True, rules=1)
    assert [view.condition for view in watchers_view()] == ["leads"]
    with clock.shift(timedelta(minutes=1)):
        assert [view.condition for view in watchers_view()] == ["silent"]
        job_perform("files.check_watchers")
    found = Alert.objects.get(key="files:watchers")
    assert "went silent" in found.text


def test_a_batch_has_a_progress_page_with_its_reasons_and_a_retry(
    rule: Rule, drop: Drop, account: Any
) -> None:
    for name in ("a.csv", "b.csv"):
        drop.write(name, name)
    settle()
    look(rule)
    batch = FileBatch.objects.get()
    FileEvent.objects.update(outcome="failed", reason="It has no header.")
    FileBatch.objects.update(failed=2, state="finished", finished_at=clock.now())
    _, progress = operation_find(batch.pk)
    assert (progress.total, progress.failed, progress.stage) == (2, 2, Stage.OVER)
    assert [(reason.text, reason.count) for reason in progress.reasons] == [
        ("It has no header.", 2)
    ]
    again = operation_act(batch.pk, "retry", by=account("alice", "files.operate_rule"))
    assert (again.stage, again.failed, list(again.actions)) == (Stage.WAITING, 0, [])


@pytest.mark.parametrize("end", ["cancelled", "dead", "gone"])
def test_a_batch_whose_job_has_ended_fails_with_the_reason_and_can_be_retried(
    rule: Rule, drop: Drop, end: str
) -> None:
    drop.write("a.csv", "a")
    settle()
    look(rule)
    batch = FileBatch.objects.get()
    assert batch.job_id is not None
    with clock.shift(timedelta(minutes=2)):
        job_perform("files.check_watchers")
        assert FileEvent.objects.get().outcome == "pending"  # its job only waits
        if end == "gone":
            FileBatch.objects.update(job_id=uuid7())
        elif end == "dead":
            Job.objects.filter(pk=batch.job_id).update(state="dead", last_error="poison")
        else:
            job_cancel(job_id=batch.job_id, by=None)
        job_perform("files.check_watchers")
    event = FileEvent.objects.get()
    assert event.outcome == "failed"
    assert end in event.reason
    _, progress = operation_find(batch.pk)
    assert (progress.stage, list(progress.actions)) == (Stage.OVER, ["retry"])
    assert batch_retry(batch_id=batch.pk, by=None) == 1
    job_perform("files.check_watchers")
    assert FileEvent.objects.get().outcome == "pending"


def test_another_filesystem_in_place_of_a_directory_is_no_deletion(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    settle()
    look(rule)
    new_events(rule)
    (drop.path / "a.csv").unlink()
    watched = Watched(RuleView.of(rule), lead(), threading.Event())
    watched._device = -1  # that of the disk that was mounted here
    watched.step(lambda: None)
    watched.close()
    rule.refresh_from_db()
    assert "another filesystem" in rule.problem
    assert Alert.objects.get().key == f"files:{rule.pk}"
    assert new_events(rule) == []


def test_the_numbers_are_there(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    settle()
    look(rule)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }
    assert found[("file_watch_changes_total",)] == 1
    assert found[("file_watch_batches_total",)] == 1
    assert found[("file_watch_open_batches",)] == 1
    assert found[("file_watch_files_total", "done")] == 0
    assert found[("file_watch_rules", "unwatched")] == 1


def test_numbers_of_an_empty_site_are_zero(db: None) -> None:
    found = {sample.name: sample.value for family in metrics.collect() for sample in family.samples}
    assert found["file_watch_changes_total"] == 0


def test_another_directory_begins_anew_and_keeps_the_history(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv", "one")
    drop.write("other/a.csv", "two")
    settle()
    look(rule)
    edited(rule, directory=f"{drop.path}/other")
    look(rule)
    assert WatchedFile.objects.get().state == "present"
    assert [each[0] for each in new_events(rule)] == ["added"]  # that of the first directory
    (drop.path / "other" / "a.csv").write_text("three")
    settle()
    look(rule)
    assert new_events(rule) == [("modified", "a.csv")]


def test_wider_patterns_remember_what_lies_there_and_take_what_comes(
    rule: Rule, drop: Drop
) -> None:
    drop.write("a.csv")
    drop.write("a.txt")
    settle()
    look(rule)
    new_events(rule)
    edited(rule, patterns=["*.csv", "*.txt"])
    look(rule)
    assert new_events(rule) == []
    drop.write("b.txt")
    settle()
    look(rule)
    assert new_events(rule) == []  # the first look at the wider rule took it along
    Rule.objects.update(indexed_at=clock.now())
    drop.write("c.txt")
    settle()
    look(rule)
    assert new_events(rule) == [("added", "c.txt")]


def test_a_deleted_rule_leaves_the_files_and_nothing_else(rule: Rule, drop: Drop) -> None:
    file = drop.write("a.csv")
    settle()
    look(rule)
    other = rule_make(drop, name="other")
    rule_delete(rule_id=rule.pk, by=None)
    assert file.exists()
    assert not FileEvent.objects.exists()
    assert list(Rule.objects.all()) == [other]
    with pytest.raises(RuleUnknown):
        rule_pause(rule_id=rule.pk, by=None)
