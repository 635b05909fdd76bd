"""A dropped CSV becomes subscribers: once, with the lines that cannot be used in a report beside it."""

import csv

import pytest

from jobs.testing import drain
from monitoring.files.models import FileEvent, Rule
from subscriptions.models import BulkItem, BulkOperation
from tests.monitoring.files.rows import Drop, look, rule_make, settle


@pytest.fixture
def lists(drop: Drop, db: None) -> Rule:
    return rule_make(drop, action="subscribers", options={}, changes=["added", "modified"])


def dropped(rule: Rule, drop: Drop, text: str) -> FileEvent:
    """What became of a file with this text; the import itself waits for the panel."""
    drop.write("people.csv", text)
    settle()
    look(rule)
    drain(queues=["default"])
    return FileEvent.objects.order_by("-id")[0]


def test_lines_of_a_file_become_an_import_and_the_others_a_report(lists: Rule, drop: Drop) -> None:
    event = dropped(lists, drop, "username,days\nivan_p,30\nx,30\nanna_k,30\nivan_p,9\n")
    operation = BulkOperation.objects.get()
    assert (event.outcome, event.accepted, event.rejected) == ("done", 2, 2)
    assert event.report == "people.csv.rejects.csv"
    assert str(operation.pk) in event.reason
    assert (operation.kind, operation.source, operation.total) == ("import", "file", 2)
    assert operation.selection["text"] == "drop: people.csv"
    names = list(BulkItem.objects.order_by("pk").values_list("given", flat=True))
    assert names == ["ivan_p", "anna_k"]
    with (drop.path / "people.csv.rejects.csv").open() as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["line", "3", "5"]


def test_a_touched_file_imports_nobody_again(lists: Rule, drop: Drop) -> None:
    dropped(lists, drop, "username,days\nivan_p,30\n")
    (drop.path / "people.csv").touch()
    settle()
    look(lists)
    drain(queues=["default"])
    assert BulkOperation.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "file is empty"),
        ("colour\nred\n", "no column username"),
        ("username\nx\n", "No line of it"),
    ],
)
def test_a_file_that_is_no_list_fails_at_once_and_says_why(
    lists: Rule, drop: Drop, text: str, words: str
) -> None:
    event = dropped(lists, drop, text)
    assert event.outcome == "failed"
    assert words in event.reason
    assert not BulkOperation.objects.exists()
