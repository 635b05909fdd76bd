"""A dropped CSV becomes an audience: once, with the lines that name nobody in a report beside it."""

import csv

import pytest

from jobs.testing import drain
from monitoring.files import act, ending
from monitoring.files.models import FileBatch, FileEvent, Rule
from notifications.broadcasts.models import Audience, AudienceMember
from notifications.inbox.models import Recipient
from tests.monitoring.files.rows import Drop, look, rule_make, settle


@pytest.fixture
def lists(drop: Drop, db: None) -> Rule:
    Recipient.objects.bulk_create(Recipient(user_id=n, login=f"u{n}") for n in (1, 2, 3))
    return rule_make(drop, action="audience", options={}, changes=["added", "modified"])


def dropped(rule: Rule, drop: Drop, text: str) -> FileEvent:
    """What became of a file with this text."""
    drop.write("vip.csv", text)
    settle()
    look(rule)
    drain(queues=["default"])
    return FileEvent.objects.order_by("-id")[0]


def test_people_of_a_file_become_a_list_and_the_others_a_report(lists: Rule, drop: Drop) -> None:
    event = dropped(lists, drop, "id,login\n1,u1\n2,u2\n2,u2\n9,u9\nabc,u3\n")
    assert event.outcome == "done"
    assert event.reason == "Audience “vip” has 2 people. 1 were named more than once."
    assert (event.accepted, event.rejected, event.report) == (3, 2, "vip.csv.rejects.csv")
    audience = Audience.objects.get()
    assert (audience.name, audience.members, audience.source) == ("vip", 2, "drop: vip.csv")
    with (drop.path / "vip.csv.rejects.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["line", "text", "reason"]
    assert sorted(row[0] for row in rows[1:]) == ["5", "6"]


def test_other_content_is_another_list_and_a_touched_file_is_none(lists: Rule, drop: Drop) -> None:
    Rule.objects.update(options={"name": "VIP"})
    dropped(lists, drop, "id\n1\n")
    (drop.path / "vip.csv").touch()
    settle()
    look(lists)
    dropped(lists, drop, "id\n1\n2\n")
    assert list(Audience.objects.order_by("id").values_list("name", "members")) == [
        ("VIP", 1), ("VIP", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty."),
        ("colour\nred\n", "No column says who it is"),
        ("id\n", "no lines"),
    ],
)
def test_a_file_that_is_no_list_fails_at_once_and_says_why(
    lists: Rule, drop: Drop, text: str, words: str
) -> None:
    event = dropped(lists, drop, text)
    assert event.outcome == "failed"
    assert words in event.reason
    assert FileBatch.objects.get().state == "finished"
    assert not Audience.objects.exists()


def test_a_worker_that_dies_before_the_outcome_leaves_no_list(
    lists: Rule, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> bool:
        assert AudienceMember.objects.count() == 1
        raise Killed

    drop.write("vip.csv", "id\n1\n")
    settle()
    look(lists)
    batch = act.batch_get(FileBatch.objects.get().pk)
    assert batch is not None
    with monkeypatch.context() as patch:
        patch.setattr(act, "end_one", die)
        with pytest.raises(Killed):
            act.batch_act(batch, attempt=1, is_last=False, check=lambda: None)
    assert not Audience.objects.exists()
    drain(queues=["default"])
    assert Audience.objects.get().members == 1


def test_a_worker_that_comes_too_late_leaves_no_list(
    lists: Rule, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.write("vip.csv", "id\n1\n")
    settle()
    look(lists)
    batch = act.batch_get(FileBatch.objects.get().pk)
    assert batch is not None
    end_one = ending.end_one

    def be_overtaken(*given: object) -> bool:
        FileEvent.objects.update(outcome="done")  # by the worker that has the lease by now
        return end_one(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(act, "end_one", be_overtaken)
    act.batch_act(batch, attempt=1, is_last=False, check=lambda: None)
    assert not Audience.objects.exists()
