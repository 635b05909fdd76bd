"""A wrong value stops the start with a sentence that names the variable."""

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from config import env

pytestmark = pytest.mark.unit

READERS: dict[str, tuple[Callable[[], Any], str, Any]] = {
    "boolean": (lambda: env.boolean("X", default=False), "Yes", True),
    "boolean off": (lambda: env.boolean("X", default=True), "0", False),
    "integer": (lambda: env.integer("X", 1, least=1, most=9), "9", 9),
    "span": (lambda: env.span("X", "1s"), "5m", timedelta(minutes=5)),
    "span in seconds": (lambda: env.span("X", "1s"), "2.5", timedelta(seconds=2.5)),
    "words": (lambda: env.words("X"), " a, b,,c ", ["a", "b", "c"]),
    "integers": (lambda: env.integers("X"), "1, -2", [1, -2]),
    "choice": (lambda: env.choice("X", "INFO", ("INFO", "ERROR")), "error", "ERROR"),
    "url": (lambda: env.url("X", "", ("http",)), "http://host/", "http://host"),
    "rate": (lambda: env.rate("X", "1/s"), "10/min", "10/min"),
    "networks": (
        lambda: env.networks("X", ()),
        "10.0.0.0/8, ::1",
        [ip_network("10.0.0.0/8"), ip_network("::1")],
    ),
}
REFUSED = [
    ("boolean", "maybe"),
    ("integer", "many"),
    ("integer", "0"),
    ("integer", "10"),
    ("span", "soon"),
    ("span", "-3"),
    ("integers", "1,x"),
    ("choice", "LOUD"),
    ("url", "ftp://user:password@host"),
    ("rate", "10"),
    ("rate", "0/s"),
    ("rate", "10/fortnight"),
    ("networks", "10.0.0.1/8"),
    ("networks", "everybody"),
]


@pytest.mark.parametrize("reader", READERS)
def test_a_value_is_read_by_its_type(monkeypatch: pytest.MonkeyPatch, reader: str) -> None:
    read, raw, value = READERS[reader]
    monkeypatch.setenv("X", raw)
    assert read() == value


@pytest.mark.parametrize(("reader", "raw"), REFUSED)
def test_a_wrong_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, reader: str, raw: str
) -> None:
    monkeypatch.setenv("X", raw)
    with pytest.raises(env.SettingInvalid, match=r"^X .+\.$") as refusal:
        READERS[reader][0]()
    assert refusal.value.name == "X"
    assert "\n" not in str(refusal.value)
    assert "password" not in str(refusal.value)


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "")
    assert env.text("X", "otherwise") == "otherwise"
    assert env.integer("X", 7) == 7


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hush\n")
    monkeypatch.setenv("X_FILE", str(file))
    assert env.text("X") == "hush"


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("X", "one")
    monkeypatch.setenv("X_FILE", str(tmp_path / "other"))
    with pytest.raises(env.SettingInvalid, match="X_FILE are both set"):
        env.text("X")


def test_a_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("X_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(env.SettingInvalid, match=r"^X_FILE cannot be read"):
        env.text("X")
