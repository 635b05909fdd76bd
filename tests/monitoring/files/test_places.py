"""No way leads out of the allowed directories: not by name, not by link, not in between."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from monitoring.files.errors import DirectoryRefused, FileMoving, FileRefused, RuleInvalid
from monitoring.files.patterns import Matcher, patterns_check
from monitoring.files.places import Place, directory_check
from monitoring.files.sight import digest, sha256_of
from tests.monitoring.files.rows import Drop
from tests.processes.site import PROJECT

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "drop", "", "{root}/..", "{root}/../outside", "{root}x", "{root}\x00", "~"],
)
def test_directories_outside_are_refused(drop: Drop, path: str) -> None:
    with pytest.raises(DirectoryRefused):
        directory_check(path.replace("{root}", str(drop.path)))


def test_directories_inside_are_taken_also_before_they_exist(drop: Drop) -> None:
    assert directory_check(f" {drop.path}/ ") == str(drop.path)
    assert directory_check(f"{drop.path}/later/on") == f"{drop.path}/later/on"


def test_a_link_to_outside_is_no_way(drop: Drop) -> None:
    (drop.path / "link").symlink_to(drop.outside)
    with pytest.raises(DirectoryRefused):
        directory_check(f"{drop.path}/link")
    with pytest.raises(DirectoryRefused):
        Place(f"{drop.path}/link/deeper")


def test_without_roots_nothing_may_be_watched(settings: Settings, drop: Drop) -> None:
    settings.FILE_WATCH_ROOTS = []
    with pytest.raises(DirectoryRefused, match="none"):
        directory_check(str(drop.path))


def test_a_root_may_itself_be_a_link(drop: Drop, settings: Settings) -> None:
    link = drop.outside / "root"
    link.symlink_to(drop.path)
    settings.FILE_WATCH_ROOTS = [str(link)]
    drop.write("a.csv")
    with Place(str(link)) as place:
        assert [entry.path for entry in place.walk(recursive=False)] == ["a.csv"]


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret",
        "a/../../outside/secret",
        "link/secret",
        "./secret",
        "a//secret",
        "/etc/passwd",
    ],
)
def test_no_path_leads_out_of_a_place(drop: Drop, path: str) -> None:
    (drop.outside / "secret").write_text("secret")
    (drop.path / "link").symlink_to(drop.outside)
    (drop.path / "a").mkdir()
    with Place(str(drop.path)) as place:
        assert place.stat(path) is None
        with pytest.raises((NotADirectoryError, FileNotFoundError)):
            place.open(path)


def test_a_directory_that_is_swapped_for_a_link_is_not_followed(drop: Drop) -> None:
    drop.write("sub/a.csv", "inside")
    (drop.outside / "a.csv").write_text("outside")
    with Place(str(drop.path)) as place:
        (drop.path / "sub").rename(drop.path / "bus")
        (drop.path / "sub").symlink_to(drop.outside)
        with pytest.raises(NotADirectoryError):
            place.open("sub/a.csv")
        with place.open("bus/a.csv") as file:
            assert file.read() == b"inside"


@pytest.mark.parametrize(
    "make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, Path.mkdir]
)
def test_only_ordinary_files_are_opened(drop: Drop, make: Callable[[Path], Any]) -> None:
    make(drop.path / "a.csv")
    with Place(str(drop.path)) as place, pytest.raises((FileRefused, IsADirectoryError)):
        place.open("a.csv").close()


def test_no_descriptor_is_left(drop: Drop) -> None:
    for number in range(3):
        drop.write(f"{number}/x/a.csv")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Place(str(drop.path)) as place:
        assert len(list(place.walk(recursive=True))) == 3
        assert place.stat("0/x/a.csv")
        assert place.stat("9/x/a.csv") is None
        place.open("1/x/a.csv").close()
    with pytest.raises(FileNotFoundError):
        Place(f"{drop.path}/nowhere")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_large_files_are_read_in_pieces(drop: Drop) -> None:
    with (drop.path / "big.csv").open("wb") as file:
        file.truncate(10 * 1024 * 1024)
    ticks: list[int] = []
    with Place(str(drop.path)) as place:
        stat, found = sha256_of(place, "big.csv", lambda: ticks.append(1))
    assert stat.size == 10 * 1024 * 1024
    assert len(ticks) >= 10
    assert found == "e5b844cc57f57094ea4585e235f36c78c1cd222262bb89d53c94dcb4d6b3e55d"


def test_a_file_that_is_written_to_while_it_is_read_has_not_settled(drop: Drop) -> None:
    file = drop.write("a.csv", "half")

    def write_on() -> None:
        with file.open("a") as more:
            more.write("and more")

    with Place(str(drop.path)) as place, place.open("a.csv") as opened, pytest.raises(FileMoving):
        digest(opened, "a.csv", write_on)


@pytest.mark.parametrize(
    ("patterns", "path", "meant"),
    [
        (["*"], "a", True),
        (["*.csv"], "a.csv", True),
        (["*.csv"], "a.CSV", False),
        (["*.csv"], "deep/er/a.csv", True),
        (["2026/*.csv"], "2026/a.csv", True),
        (["2026/*.csv"], "2025/a.csv", False),
        (["*/in/*.csv"], "x/in/a.csv", True),
        (["a?.[ct]sv"], "a1.tsv", True),
        (["*.csv"], ".a.csv", False),
        (["*"], ".git/config", False),
        (["*"], "x/.git/config", False),
        (["*"], "a.csv.rejects.csv", False),
        (["*.part"], "a.part", False),
        (["(.*)"], "abc", False),
    ],
)
def test_patterns_mean_what_they_say(patterns: list[str], path: str, meant: bool) -> None:
    assert Matcher(patterns)(path) is meant


@pytest.mark.parametrize(
    "patterns",
    [[], [" "], ["x" * 201], ["../x"], [str(n) for n in range(60)]],
)
def test_patterns_that_cannot_be_used_are_refused(patterns: list[str]) -> None:
    with pytest.raises(RuleInvalid):
        patterns_check(patterns)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FILE_WATCH_ROOTS", "relative"),
        ("FILE_WATCH_ROOTS", "/"),
        ("FILE_WATCH_ROOTS", "/srv/../etc"),
        ("FILE_DEBOUNCE_MS", "0"),
        ("FILE_DEBOUNCE_MS", "soon"),
        ("FILE_RESCAN", "0.5s"),
        ("FILE_MAX_BYTES", "1"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    source = (PROJECT / "config/settings/files.py").read_text()
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        exec(compile(source, "files.py", "exec"), {})
