"""What is heard of a directory, and what is found although nothing was heard."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitoring.files.eye import Eye, directories_apart
from monitoring.files.hints import Hints
from monitoring.files.look import RuleView
from monitoring.files.models import Rule
from monitoring.files.watched import Watched
from tests.monitoring.files.rows import Drop, lead, new_events, settle
from tests.processes.waiting import until

EyeMake = Callable[..., tuple[Eye, Hints]]


@pytest.fixture
def eye_make() -> Iterator[EyeMake]:
    """Make an eye that watches: eye_make(path, recursive=True)."""
    made: list[Eye] = []

    def make(path: Path, *, recursive: bool = False) -> tuple[Eye, Hints]:
        hints = Hints(50, threading.Event())
        made.append(Eye(str(path), hints, recursive=recursive))
        made[-1].start()
        return made[-1], hints

    yield make
    for each in made:
        each.close()


def heard(hints: Hints, path: str) -> None:
    """Wait until it has been heard that something happened there."""
    seen: set[str] = set()

    def is_heard() -> bool:
        if hints.due_at is not None:
            seen.update(hints.take().paths or ())
        return path in seen

    until(is_heard, f"{path} is heard of")


@pytest.mark.unit
def test_it_asks_for_a_look_at_everything_and_then_says_where(
    drop: Drop, eye_make: EyeMake
) -> None:
    eye, hints = eye_make(drop.path)
    until(lambda: hints.due_at is not None, "it has begun")
    assert hints.take().paths is None
    drop.write("a.csv")
    heard(hints, "a.csv")
    (drop.path / "a.csv").rename(drop.path / "b.csv")
    heard(hints, "b.csv")
    assert eye.problem == ""


@pytest.mark.unit
def test_an_eye_that_cannot_see_says_so_and_asks_for_looks(drop: Drop, eye_make: EyeMake) -> None:
    eye, hints = eye_make(drop.path / "nowhere")
    until(lambda: hints.due_at is not None, "it asks")
    assert "nowhere" in eye.problem
    assert hints.take().paths is None


@pytest.mark.unit
def test_a_tree_with_links_or_hidden_directories_is_watched_piece_by_piece(drop: Drop) -> None:
    drop.write("sub/deep/a.csv")
    (drop.path / "file").symlink_to("sub/deep/a.csv")
    assert directories_apart(str(drop.path)) is None
    (drop.path / os.fsdecode(b"\xff")).mkdir()
    (drop.path / ".hidden").mkdir()
    (drop.path / "sub" / "loop").symlink_to(drop.path)
    base = str(drop.path)
    assert directories_apart(base) == frozenset({base, f"{base}/sub", f"{base}/sub/deep"})


@pytest.mark.unit
def test_a_directory_that_may_not_be_opened_blinds_nobody_for_the_others(
    drop: Drop, without_rights: Callable[[], Any]
) -> None:
    drop.write("open/a.csv")
    drop.write("shut/a.csv")
    (drop.path / "shut").chmod(0)
    base = str(drop.path)
    with without_rights():
        assert directories_apart(base) == frozenset({base, f"{base}/open"})


def test_what_the_kernel_did_not_tell_is_found_by_the_next_look_at_everything(
    rule: Rule, drop: Drop
) -> None:
    watched = Watched(RuleView.of(rule), lead(), threading.Event())

    def turn() -> bool:
        watched.step(lambda: None)
        rule.refresh_from_db()
        return rule.scanned_at is not None

    until(turn, "the first look")
    assert watched._eye is not None
    watched._eye.close()
    until(lambda: watched._eye and not watched._eye._thread.is_alive(), "nobody listens any more")
    drop.write("a.csv")
    settle()
    watched.step(lambda: None)
    assert new_events(rule) == []
    watched._rescan_at = watched._check_at = 0.0  # FILE_RESCAN is over

    def found() -> list[tuple[str, str]]:
        watched.step(lambda: None)
        return new_events(rule)

    assert until(found, "the next look finds it") == [("added", "a.csv")]
    watched.close()
