"""What becomes of the files of a batch: outcomes with reasons, retries, rejects beside the file."""

import csv
from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs.testing import drain
from lib import clock
from monitoring.files import actions
from monitoring.files.actions import (
    ActionFailed,
    ActionRefused,
    ActionResult,
    FileChange,
    action_register,
)
from monitoring.files.models import FileBatch, FileEvent, Rule
from tests.monitoring.files.rows import Drop, look, rule_make, settle

Take = Callable[..., FileEvent]


class Clerk:
    """An action that reads each file, and does with it what its first line says."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, int]] = []
        self.failures = 0  # so many times it fails first

    def __call__(self, change: FileChange) -> ActionResult:
        if self.failures:
            self.failures -= 1
            raise ActionFailed("the registry is closed")
        with change.open() as file:
            content = file.read()
        self.seen.append((change.path, content, change.attempt))
        for number, line in enumerate(content.decode().splitlines(), 1):
            if line == "refuse":
                raise ActionRefused("it has no column telegram_id")
            if line == "raise":
                raise KeyError(line)
            if line.startswith("="):
                change.rejects.add(number, line, "not a number")
        return ActionResult(accepted=content.count(b"ok"), note="Read.")


@pytest.fixture
def clerk(monkeypatch: pytest.MonkeyPatch) -> Clerk:
    found = Clerk()
    monkeypatch.setattr(actions, "_actions", dict(actions._actions))
    action_register("clerk", "Read it", found, changes=("added", "modified"))
    return found


@pytest.fixture
def reading(clerk: Clerk, drop: Drop, db: None) -> Rule:
    return rule_make(drop, action="clerk", options={})


def taken(rule: Rule, drop: Drop, text: str, name: str = "a.csv") -> FileEvent:
    """A file of which a change was recorded and acted on."""
    drop.write(name, text)
    settle()
    look(rule)
    drain()
    return FileEvent.objects.order_by("-id")[0]


def later(seconds: int = 60) -> None:
    """What waits for its next try, and whatever follows."""
    with clock.shift(timedelta(seconds=seconds)):
        drain()


def test_each_file_is_given_to_the_action_once(reading: Rule, drop: Drop, clerk: Clerk) -> None:
    drop.write("a.csv", "ok\nok")
    drop.write("b.csv", "ok")
    settle()
    look(reading)
    drain()
    later()
    assert sorted(clerk.seen) == [("a.csv", b"ok\nok", 1), ("b.csv", b"ok", 1)]
    batch = FileBatch.objects.get()
    assert (batch.state, batch.done, batch.accepted, batch.failed) == ("finished", 2, 3, 0)
    assert batch.started_at
    assert batch.finished_at
    reading.refresh_from_db()
    assert (reading.batches, reading.files, reading.done) == (1, 2, 2)


def test_a_failure_is_tried_again_by_the_ladder(reading: Rule, drop: Drop, clerk: Clerk) -> None:
    clerk.failures = 2
    event = taken(reading, drop, "ok")
    assert (event.outcome, event.reason) == ("pending", "The registry is closed.")
    later(2)
    later(10)
    event.refresh_from_db()
    assert (event.outcome, event.attempts, clerk.seen[0][2]) == ("done", 3, 3)


def test_a_file_that_fails_to_the_end_has_failed_and_can_be_told_why(
    reading: Rule, drop: Drop, clerk: Clerk
) -> None:
    clerk.failures = 100
    event = taken(reading, drop, "ok")
    for seconds in (2, 5, 11, 22, 43, 90):
        later(seconds)
    event.refresh_from_db()
    assert (event.outcome, event.attempts) == ("failed", 6)
    assert event.reason == "The registry is closed."
    assert FileBatch.objects.get().state == "finished"


def test_one_bad_file_holds_up_no_other(reading: Rule, drop: Drop, clerk: Clerk) -> None:
    for name, text in (("a.csv", "refuse"), ("b.csv", "raise"), ("c.csv", "ok")):
        drop.write(name, text)
    settle()
    look(reading)
    drain()
    found = {each.path: (each.outcome, each.reason) for each in FileEvent.objects.all()}
    assert found["a.csv"] == ("failed", "It has no column telegram_id.")
    assert found["b.csv"] == ("pending", "The action raised KeyError; the log has the traceback.")
    assert found["c.csv"][0] == "done"
    for seconds in (2, 5, 11, 22, 43, 90):
        later(seconds)
    batch = FileBatch.objects.get()
    assert (batch.state, batch.done, batch.failed) == ("finished", 1, 2)
    assert [path for path, _, _ in clerk.seen].count("c.csv") == 1


def test_lines_that_are_not_taken_are_listed_beside_the_file(reading: Rule, drop: Drop) -> None:
    event = taken(reading, drop, "ok\n=cmd()\nok\n")
    assert (event.outcome, event.accepted, event.rejected) == ("done", 2, 1)
    assert event.rejects == [{"line": 2, "text": "=cmd()", "why": "not a number"}]
    assert event.report == "a.csv.rejects.csv"
    with (drop.path / event.report).open() as file:
        assert list(csv.reader(file)) == [
            ["line", "text", "reason"],
            ["2", "'=cmd()", "not a number"],  # no formula in anybody's spreadsheet
        ]
    settle()
    look(reading)
    assert FileEvent.objects.count() == 1  # the report is never watched


def test_a_report_that_holds_no_more_is_taken_away(reading: Rule, drop: Drop) -> None:
    taken(reading, drop, "=bad")
    assert (drop.path / "a.csv.rejects.csv").exists()
    event = taken(reading, drop, "ok")
    assert (event.outcome, event.report) == ("done", "")
    assert not (drop.path / "a.csv.rejects.csv").exists()


def test_a_report_that_cannot_be_written_is_said(reading: Rule, drop: Drop) -> None:
    (drop.path / "a.csv.rejects.csv").mkdir()
    event = taken(reading, drop, "ok\n=bad")
    assert event.outcome == "done"
    assert event.reason == "Read. The report could not be written: Is a directory."
    assert event.rejects[0]["text"] == "=bad"
    assert [path.name for path in drop.path.iterdir() if path.name.startswith(".")] == []


def test_content_that_has_changed_since_is_left_to_its_own_change(
    reading: Rule, drop: Drop, clerk: Clerk
) -> None:
    file = drop.write("a.csv", "ok")
    settle()
    look(reading)
    file.write_text("ok ok ok")
    drain()
    assert clerk.seen == []
    event = FileEvent.objects.get()
    assert (event.outcome, event.reason) == (
        "skipped",
        "It has changed since; that change has a line of its own.",
    )
    settle()
    look(reading)
    drain()
    assert [content for _, content, _ in clerk.seen] == [b"ok ok ok"]


def test_a_file_that_is_gone_is_skipped(reading: Rule, drop: Drop) -> None:
    file = drop.write("a.csv")
    settle()
    look(reading)
    file.unlink()
    drain()
    event = FileEvent.objects.get()
    assert (event.outcome, event.reason) == ("pending", "It is not there any more.")
    look(reading)  # the watcher says what became of it
    later(2)
    event.refresh_from_db()
    assert (event.outcome, event.reason) == ("skipped", "It was gone before it could be read.")


def test_a_file_that_is_gone_and_of_which_nobody_says_more_is_skipped_at_last(
    reading: Rule, drop: Drop
) -> None:
    file = drop.write("a.csv")
    settle()
    look(reading)
    file.unlink()
    drain()
    for seconds in (2, 5, 11, 22, 43, 90):
        later(seconds)
    event = FileEvent.objects.get()
    assert (event.outcome, event.reason) == ("skipped", "It is not there any more.")


def test_a_file_that_was_renamed_meanwhile_is_followed(
    reading: Rule, drop: Drop, clerk: Clerk
) -> None:
    Rule.objects.update(changes=["added"])  # so that the move will bring nothing
    file = drop.write("upload-1.csv", "ok")
    settle()
    look(reading)
    file.rename(drop.path / "final.csv")
    drain()
    assert FileEvent.objects.get().outcome == "pending"
    settle()
    look(reading)
    later(2)
    assert FileEvent.objects.get().outcome == "done"
    assert [content for _, content, _ in clerk.seen] == [b"ok"]


def test_newer_content_is_taken_if_no_other_change_will_bring_it(
    reading: Rule, drop: Drop, clerk: Clerk
) -> None:
    Rule.objects.update(changes=["added"])
    file = drop.write("a.csv", "ok")
    settle()
    look(reading)
    file.write_text("ok ok")
    drain()
    assert [content for _, content, _ in clerk.seen] == [b"ok ok"]
    settle()
    look(reading)
    assert FileEvent.objects.get().outcome == "done"


def test_a_worker_that_does_not_see_the_directory_says_so_and_tries_again(
    reading: Rule, drop: Drop, clerk: Clerk
) -> None:
    drop.write("a.csv", "ok")
    settle()
    look(reading)
    away = drop.path.with_name("away")
    drop.path.rename(away)
    drain()
    event = FileEvent.objects.get()
    assert event.outcome == "pending"
    assert "cannot be opened: No such file or directory" in event.reason
    away.rename(drop.path)
    later(2)
    assert FileEvent.objects.get().outcome == "done"


def test_a_file_that_became_a_link_is_not_read(reading: Rule, drop: Drop, clerk: Clerk) -> None:
    file = drop.write("a.csv", "ok")
    settle()
    look(reading)
    (drop.outside / "secret.csv").write_text("ok")  # even with the same content
    file.unlink()
    file.symlink_to(drop.outside / "secret.csv")
    drain()
    assert clerk.seen == []
    event = FileEvent.objects.get()
    assert (event.outcome, event.reason) == ("failed", "It is a link or no ordinary file.")


def test_a_file_that_is_too_large_is_refused_with_the_limit(
    reading: Rule, drop: Drop, settings: Settings
) -> None:
    settings.FILE_MAX_BYTES = 3
    event = taken(reading, drop, "more")
    assert event.outcome == "failed"
    assert event.reason.startswith("It has 4 bytes; an action reads 3 at most")


def test_changes_that_an_action_cannot_use_are_skipped(reading: Rule, drop: Drop) -> None:
    file = drop.write("a.csv", "ok")
    settle()
    look(reading)
    drain()
    file.rename(drop.path / "b.csv")
    settle()
    look(reading)
    drain()
    event = FileEvent.objects.order_by("-id")[0]
    assert (event.change, event.outcome) == ("moved", "skipped")
    assert event.reason == "Read it: nothing to do when a file is moved."
    assert not FileBatch.objects.exclude(state="finished").exists()


def test_an_action_that_vanished_fails_with_a_way_out(reading: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    settle()
    look(reading)
    Rule.objects.update(action="gone")
    drain()
    event = FileEvent.objects.get()
    assert event.outcome == "failed"
    assert "There is no action 'gone' any more" in event.reason


def test_a_batch_of_a_deleted_rule_is_nobodys_business(reading: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    settle()
    look(reading)
    reading.delete()
    assert drain() == 1
