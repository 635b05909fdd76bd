"""Telling a chat what changed: one message per batch, in two languages, safe whatever names hold."""

import pytest

from jobs.testing import drain
from monitoring.files.actions import action_get
from monitoring.files.errors import RuleInvalid
from monitoring.files.models import FileBatch, FileEvent, Rule
from notifications.telegram.markup import plain
from notifications.telegram.models import QueuedMessage
from tests.monitoring.files.rows import Drop, look, settle


def texts() -> list[str]:
    return [plain(row.message) for row in QueuedMessage.objects.order_by("id")]


def test_a_chat_is_told_once_per_batch(rule: Rule, drop: Drop) -> None:
    for name in ("a.csv", "b.csv"):
        drop.write(name, name)
    settle()
    look(rule)
    drain(queues=["default"])
    drain(queues=["default"])
    (text,) = texts()
    assert text.splitlines()[:6] == [
        "📁 drop", "Files changed: 2", "", "➕ Added: 2", "a.csv", "b.csv",
    ]  # fmt: skip
    message = QueuedMessage.objects.get()
    assert (message.telegram_id, message.notification_type) == (500, "files_changed")
    assert str(FileBatch.objects.get().pk) in message.message
    assert set(FileEvent.objects.values_list("outcome", "reason")) == {
        ("done", f"Told in Telegram message {message.pk}.")
    }
    assert FileBatch.objects.get().state == "finished"


def test_it_speaks_russian(rule: Rule, drop: Drop) -> None:
    Rule.objects.update(options={"chat": 500, "language": "ru"})
    drop.write("a.csv")
    settle()
    look(rule)
    drain(queues=["default"])
    assert "Изменились файлы: 1" in texts()[0]
    assert "➕ Новые: 1" in texts()[0]
    assert "Открыть в консоли" in texts()[0]


def test_moves_deletions_and_many_files_are_told_shortly(rule: Rule, drop: Drop) -> None:
    for number in range(40):
        drop.write(f"{number:02}.csv", str(number))
    settle()
    look(rule)
    drain(queues=["default"])
    assert "… and 20 more" in texts()[0]
    (drop.path / "00.csv").unlink()
    (drop.path / "01.csv").rename(drop.path / "x.csv")
    drop.write("02.csv", "other")
    settle()
    look(rule)
    drain(queues=["default"])
    text = texts()[1]
    assert text.splitlines()[1:-2] == [
        "Files changed: 3", "",
        "✏️ Modified: 1", "02.csv", "",
        "➡️ Moved: 1", "01.csv → x.csv", "",
        "❌ Deleted: 1", "00.csv",
    ]  # fmt: skip


def test_names_cannot_break_the_markup_or_the_length(rule: Rule, drop: Drop) -> None:
    Rule.objects.update(name="<b>&")
    for number in range(30):
        drop.write(f"{number}<i>&{'ж' * 100}.csv", str(number))
    settle()
    look(rule)
    drain(queues=["default"])
    (text,) = texts()
    assert "📁 <b>&" in text
    assert len(text) <= 4096
    assert FileBatch.objects.get().done == 30


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chat": ""},
        {"chat": "me"},
        {"chat": "0"},
        {"chat": 1, "language": "fr"},
        {"chat": 1, "x": 1},
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(RuleInvalid, match="options"):
        action_get("telegram").options_check(options)


def test_options_are_kept_in_their_kind() -> None:
    found = action_get("telegram").options_check({"chat": " -100200 ", "language": ""})
    assert found == {"chat": -100200, "language": "en"}
