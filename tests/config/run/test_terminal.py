"""Everything is kept, what matters is shown."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.run import terminal
from config.run.terminal import Terminal

pytestmark = pytest.mark.unit


class Screen(io.StringIO):
    """What a person sees."""

    def lines(self) -> list[str]:
        return self.getvalue().splitlines()


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def shown(screen: Screen, tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(screen, tmp_path, level=logging.WARNING, quiet=("demo.",), colour=False)
    yield made
    made.close()


def line(level: str = "ERROR", message: str = "job dead", **extra: Any) -> str:
    at = "2026-11-22T10:00:00.000+00:00"
    return json.dumps(
        {"at": at, "level": level, "logger": "jobs", "message": message, **extra},
        separators=(",", ":"),
    )


def test_a_line_that_matters_becomes_a_sentence(shown: Terminal, screen: Screen) -> None:
    shown.write("worker", line(kind="orders.ship", attempt=3, reason="no courier"))
    (only,) = screen.lines()
    assert only.endswith("worker  ERROR job dead kind=orders.ship attempt=3 reason=no courier")


def test_a_traceback_stands_below_its_line(shown: Terminal, screen: Screen) -> None:
    shown.write("web", line(error="Traceback ...\nKeyError: 'x'"))
    assert screen.lines()[1:] == ["Traceback ...", "KeyError: 'x'"]


@pytest.mark.parametrize(
    "written",
    [
        line("INFO"),
        line(kind="demo.charge_card"),
        line(schedule="demo.weekly #8"),
        line(breaker="demo.panel"),
        "",
    ],
    ids=["info", "kind of the demo", "schedule of the demo", "breaker of the demo", "blank"],
)
def test_what_does_not_matter_is_only_kept(
    shown: Terminal, screen: Screen, tmp_path: Path, written: str
) -> None:
    shown.write("worker", written)
    assert screen.lines() == []
    assert (tmp_path / "worker.log").read_text() == f"{written}\n"


@pytest.mark.parametrize("written", ["No module named 'x'", '{"at":cut off', '{"at":1', "[1, 2]"])
def test_what_is_no_log_line_is_shown_as_it_is(
    shown: Terminal, screen: Screen, written: str
) -> None:
    shown.write("web", written)
    assert screen.lines()[0].endswith(written)


def test_a_terminal_in_colour_marks_the_level(screen: Screen, tmp_path: Path) -> None:
    coloured = Terminal(screen, tmp_path, level=logging.INFO, colour=True)
    coloured.write("web", line("WARNING"))
    coloured.close()
    assert "\033[33mWARNING \033[0m" in screen.getvalue()


def test_a_closed_screen_stops_nothing(tmp_path: Path) -> None:
    class Gone(Screen):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    gone = Terminal(Gone(), tmp_path, level=logging.WARNING, colour=False)
    gone.write("web", line())
    gone.say("Stopped.")
    gone.close()
    assert (tmp_path / "web.log").read_text() == line() + "\n"


def test_the_last_lines_are_at_hand(shown: Terminal) -> None:
    for number in range(30):
        shown.write("web", f"line {number}")
    assert shown.tail("web", 3) == "line 28\nline 29\n"


def test_a_log_that_has_grown_long_is_put_aside(
    shown: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "LONGEST_LOG_BYTES", 10)
    shown.write("web", "the first line")
    shown.write("web", "the second")
    assert (tmp_path / "web.log.1").read_text() == "the first line\n"
    assert (tmp_path / "web.log").read_text() == "the second\n"
