"""What a look takes for a change, and what not."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.testing import jobs_of
from monitoring.files.models import FileBatch, Rule, WatchedFile
from tests.monitoring.files.rows import Drop, look, new_events, rule_make, settle


def states(rule: Rule) -> dict[str, str]:
    return dict(WatchedFile.objects.filter(rule=rule).values_list("path", "state"))


def test_a_new_file_is_added_once(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    settle()
    look(rule)
    assert new_events(rule) == [("added", "a.csv")]
    look(rule)
    look(rule, "a.csv")
    assert new_events(rule) == []


def test_batch_files_and_job_are_written_together(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv", "one")
    drop.write("b.csv", "two")
    settle()
    look(rule)
    batch = FileBatch.objects.get()
    (job,) = jobs_of("files.file_event")
    assert job.args == {"batch_id": str(batch.pk)}
    assert (batch.job_id, batch.total, batch.added, batch.state) == (job.pk, 2, 2, "waiting")
    event = batch.events.get(path="a.csv")
    assert event.sha256 == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    assert (event.size, event.outcome, event.file.path) == (3, "pending", "a.csv")


def test_other_content_is_a_change_and_a_touched_time_is_none(rule: Rule, drop: Drop) -> None:
    file = drop.write("a.csv", "one")
    settle()
    look(rule)
    new_events(rule)
    os.utime(file)
    settle()
    look(rule)
    assert new_events(rule) == []
    file.write_text("two")  # of the same size
    settle()
    look(rule, "a.csv")
    assert new_events(rule) == [("modified", "a.csv")]


def test_content_of_the_same_size_under_an_old_time_is_found(rule: Rule, drop: Drop) -> None:
    file = drop.write("a.csv", "one")
    os.utime(file, ns=(10**18, 10**18))
    settle()
    look(rule)
    new_events(rule)
    file.write_text("two")
    os.utime(file, ns=(10**18, 10**18))
    settle()
    look(rule)
    assert new_events(rule) == [("modified", "a.csv")]


def test_a_file_that_is_being_written_is_left_for_later(drop: Drop, db: None) -> None:
    rule = rule_make(drop, debounce_ms=60_000)
    drop.write("a.csv", "half")
    assert look(rule).again == {"a.csv"}
    assert new_events(rule) == []
    Rule.objects.update(debounce_ms=50)
    settle()
    assert look(rule, "a.csv").again == set()
    assert new_events(rule) == [("added", "a.csv")]


def test_a_file_renamed_over_another_is_one_change_of_that_one(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv", "old")
    settle()
    look(rule)
    new_events(rule)
    drop.write("a.csv.part", "new").rename(drop.path / "a.csv")
    settle()
    look(rule, "a.csv", "a.csv.part")
    assert new_events(rule) == [("modified", "a.csv")]


def test_a_renamed_file_has_moved(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv").rename(drop.path / "b.csv")
    drop.write("a.csv")
    settle()
    look(rule)
    new_events(rule)
    (drop.path / "a.csv").rename(drop.path / "c.csv")
    settle()
    look(rule, "a.csv", "c.csv")
    assert new_events(rule) == [("moved", "a.csv > c.csv")]
    moved = WatchedFile.objects.get(path="a.csv")
    assert (moved.state, moved.moved_to) == ("deleted", "c.csv")
    look(rule)
    assert new_events(rule) == []


def test_a_known_file_renamed_over_another_one_modifies_that(rule: Rule, drop: Drop) -> None:
    drop.write("new.csv", "new")
    drop.write("b.csv", "old")
    settle()
    look(rule)
    new_events(rule)
    (drop.path / "new.csv").rename(drop.path / "b.csv")
    settle()
    look(rule)
    assert new_events(rule) == [("modified", "new.csv > b.csv")]
    assert states(rule) == {"b.csv": "present", "new.csv": "deleted"}


def test_a_move_that_has_not_settled_is_not_taken_for_a_deletion(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    settle()
    look(rule)
    new_events(rule)
    Rule.objects.update(debounce_ms=60_000)
    (drop.path / "a.csv").rename(drop.path / "b.csv")
    assert look(rule).again == {"a.csv", "b.csv"}
    assert new_events(rule) == []
    Rule.objects.update(debounce_ms=50)
    settle()
    look(rule, "a.csv", "b.csv")
    assert new_events(rule) == [("moved", "a.csv > b.csv")]


def test_a_deleted_file_is_told_once_and_comes_back_as_new(rule: Rule, drop: Drop) -> None:
    file = drop.write("a.csv")
    settle()
    look(rule)
    file.unlink()
    look(rule, "a.csv")
    look(rule)
    drop.write("a.csv")
    settle()
    look(rule)
    assert new_events(rule) == [("added", "a.csv"), ("added", "a.csv"), ("deleted", "a.csv")]


def test_what_comes_and_goes_between_two_looks_is_nothing(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv").unlink()
    look(rule, "a.csv")
    assert new_events(rule) == []
    assert states(rule) == {}


@pytest.mark.parametrize("paths", [(), ("sub",), ("sub/deep", "sub")], ids=["all", "hint", "hints"])
def test_a_directory_that_moves_takes_its_files_along(
    db: None, drop: Drop, paths: tuple[str, ...]
) -> None:
    rule = rule_make(drop, is_recursive=True)
    drop.write("sub/a.csv", "a")
    drop.write("sub/deep/b.csv", "b")
    settle()
    look(rule)
    assert len(new_events(rule)) == 2
    (drop.path / "sub").rename(drop.path / "bus")
    settle()
    look(rule, *((*paths, "bus") if paths else ()))
    assert new_events(rule) == [
        ("moved", "sub/a.csv > bus/a.csv"),
        ("moved", "sub/deep/b.csv > bus/deep/b.csv"),
    ]


def test_below_the_directory_only_a_recursive_rule_looks(rule: Rule, drop: Drop) -> None:
    drop.write("sub/a.csv")
    settle()
    look(rule)
    look(rule, "sub")
    look(rule, "sub/a.csv")
    assert new_events(rule) == []


@pytest.mark.parametrize(
    "name",
    [
        ".a.csv",
        "a.txt",
        "a.csv.rejects.csv",
        "A.CSV.REJECTS.CSV",
        "a.csv~",
        "a.csv.part",
        ".x/a.csv",
    ],
)
def test_names_that_are_not_meant_are_passed_over(db: None, drop: Drop, name: str) -> None:
    rule = rule_make(drop, patterns=["*.csv", "*.part", "*~"], is_recursive=True)
    drop.write(name)
    settle()
    look(rule)
    look(rule, name)
    assert new_events(rule) == []


def test_what_lay_there_before_the_rule_counts_only_if_it_says_so(db: None, drop: Drop) -> None:
    drop.write("a.csv")
    settle()
    silent = rule_make(drop, name="silent", indexed_at=None)
    eager = rule_make(drop, name="eager", indexed_at=None, takes_existing=True)
    for each in (silent, eager):
        look(each)
    assert new_events(silent) == []
    assert new_events(eager) == [("added", "a.csv")]
    assert states(silent) == {"a.csv": "present"}


def test_changes_that_do_not_count_move_the_index_on(db: None, drop: Drop) -> None:
    rule = rule_make(drop, changes=["modified"])
    file = drop.write("a.csv")
    settle()
    look(rule)
    assert new_events(rule) == []
    file.write_text("other")
    settle()
    look(rule)
    assert new_events(rule) == [("modified", "a.csv")]


def test_links_out_of_the_directory_are_refused_and_said_so(rule: Rule, drop: Drop) -> None:
    secret = drop.outside / "secret.csv"
    secret.write_text("secret")
    (drop.path / "a.csv").symlink_to(secret)
    (drop.path / "b.csv").symlink_to("../outside/secret.csv")
    (drop.path / "nowhere.csv").symlink_to("/nowhere/at/all")
    settle()
    look(rule)
    assert new_events(rule) == []
    assert set(states(rule).values()) == {"refused"}
    assert "leads out" in WatchedFile.objects.get(path="b.csv").problem


def test_a_link_to_a_directory_outside_is_not_walked_into(db: None, drop: Drop) -> None:
    rule = rule_make(drop, is_recursive=True)
    (drop.outside / "secret.csv").write_text("secret")
    (drop.path / "sub").symlink_to(drop.outside)
    settle()
    look(rule)
    look(rule, "sub/secret.csv")
    look(rule, "../outside/secret.csv")
    assert new_events(rule) == []
    assert states(rule) == {}


def test_a_link_within_the_directory_is_watched_under_its_own_name(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    (drop.path / "same.csv").symlink_to("a.csv")
    settle()
    look(rule)
    assert new_events(rule) == [("added", "a.csv")]
    assert states(rule) == {"a.csv": "present"}


def test_what_is_no_file_holds_nobody_up(rule: Rule, drop: Drop) -> None:
    os.mkfifo(drop.path / "pipe.csv")
    (drop.path / "folder.csv").mkdir()
    settle()
    look(rule)
    assert new_events(rule) == []
    assert states(rule) == {"pipe.csv": "refused"}


def test_a_file_that_cannot_be_read_is_taken_once_it_can(
    rule: Rule, drop: Drop, without_rights: Callable[[], Any]
) -> None:
    file = drop.write("a.csv")
    file.chmod(0)
    settle()
    with without_rights():
        look(rule)
        look(rule)
    assert new_events(rule) == []
    row = WatchedFile.objects.get()
    assert (row.state, row.problem) == ("unreadable", "It cannot be read: Permission denied.")
    file.chmod(0o644)
    settle()
    look(rule, "a.csv")
    assert new_events(rule) == [("added", "a.csv")]
    assert states(rule) == {"a.csv": "present"}


def test_a_known_file_that_was_unreadable_for_a_while_has_not_changed(
    rule: Rule, drop: Drop, without_rights: Callable[[], Any]
) -> None:
    file = drop.write("a.csv")
    settle()
    look(rule)
    new_events(rule)
    file.chmod(0)
    settle()
    with without_rights():
        look(rule)
    assert states(rule) == {"a.csv": "unreadable"}
    file.chmod(0o644)
    settle()
    look(rule)
    assert new_events(rule) == []
    assert states(rule) == {"a.csv": "present"}


def test_names_that_are_no_text_are_counted_and_left_out(rule: Rule, drop: Drop) -> None:
    (drop.path / os.fsdecode(b"\xff.csv")).write_text("x")
    drop.write("ж.csv")
    settle()
    assert look(rule).strange == 1
    assert new_events(rule) == [("added", "ж.csv")]


def test_a_file_from_the_future_is_taken(rule: Rule, drop: Drop) -> None:
    file = drop.write("a.csv")
    os.utime(file, (4_000_000_000, 4_000_000_000))
    settle()
    look(rule)
    assert new_events(rule) == [("added", "a.csv")]


def test_files_that_an_edited_rule_no_longer_means_are_not_deleted(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    settle()
    look(rule)
    new_events(rule)
    Rule.objects.update(patterns=["*.txt"])
    look(rule)
    assert new_events(rule) == []
    assert states(rule) == {"a.csv": "left_out"}
    Rule.objects.update(patterns=["*.csv"])
    look(rule)
    assert new_events(rule) == []
    assert states(rule) == {"a.csv": "present"}


def test_queries_do_not_grow_with_the_files(rule: Rule, drop: Drop) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            look(rule)
        return len(captured)

    count()  # the first to lead has nobody to replace
    for number in range(5):
        drop.write(f"{number}.csv", str(number))
    settle()
    few = count()
    for number in range(200, 300):
        drop.write(f"{number}.csv", str(number))
    settle()
    assert count() == few
    assert len(new_events(rule)) == 105
