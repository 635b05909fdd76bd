"""The real watcher on real directories: written in pieces, renamed over, touched, killed, doubled."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import embedded
from tests.monitoring.files.watchers import Folder, WatcherProcess
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

StartWatcher = Callable[..., WatcherProcess]
FolderMake = Callable[..., Folder]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    found = Site()
    try:
        found.start()
        yield found
    finally:
        found.close()


@pytest.fixture
def base() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="switchboard-watch-") as folder:
        yield Path(folder)


@pytest.fixture
def folder_make(site: Site, base: Path) -> Iterator[FolderMake]:
    """Make a directory and its rule: folder_make("drop", debounce_ms=500)."""

    def make(name: str = "drop", *, exists: bool = True, **fields: Any) -> Folder:
        path = base / name
        if exists:
            path.mkdir()
        return Folder(site, path, **fields)

    yield make
    site.rows("DELETE FROM files_event")
    site.rows("DELETE FROM files_batch")
    site.rows("DELETE FROM files_file")
    site.rows("DELETE FROM files_rule")


@pytest.fixture
def watcher(site: Site, base: Path) -> Iterator[StartWatcher]:
    """Start watchers that end with the test."""
    started: list[WatcherProcess] = []

    def start(**environment: str) -> WatcherProcess:
        log = site.scratch / f"watcher-{os.urandom(3).hex()}.log"
        everything = {**site.environment, "FILE_WATCH_ROOTS": str(base), **environment}
        started.append(WatcherProcess(site, log, everything))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def drop(folder_make: FolderMake, watcher: StartWatcher) -> Folder:
    """A directory that a watcher watches."""
    folder = folder_make()
    watcher().wait_leading()
    folder.wait_scanned()
    return folder


def test_a_file_written_in_pieces_is_taken_once_when_it_has_settled(drop: Folder) -> None:
    file = drop.path / "big.csv"
    never = threading.Event()
    with file.open("w") as out:
        for number in range(15):
            out.write(f"{number}\n" * 1000)
            out.flush()
            never.wait(0.05)  # shorter than the debounce: one write of many pieces
    drop.wait_for(1)
    drop.pass_by()
    assert drop.events()["added", "big.csv"] == 1
    assert drop.events()["modified", "big.csv"] == 0
    size = "SELECT size FROM files_event WHERE path = 'big.csv'"
    assert drop.site.value(size) == file.stat().st_size


def test_many_files_of_one_window_are_one_batch(drop: Folder) -> None:
    for number in range(300):
        (drop.path / f"{number}.csv").write_text(str(number))
    found = drop.wait_for(300)
    assert set(found.values()) == {1}
    assert drop.batches() == [300]
    jobs = """SELECT count(*) FROM jobs_job WHERE kind = 'files.file_event'
        AND args->>'batch_id' IN (SELECT id::text FROM files_batch)"""
    assert drop.site.value(jobs) == 1


def test_renamed_over_touched_moved_and_deleted(drop: Folder) -> None:
    for name in ("a", "b", "c", "d"):
        (drop.path / f"{name}.csv").write_text(name)
    drop.wait_for(4)
    (drop.path / "passing.tmp").write_text("new a")
    (drop.path / "passing.tmp").rename(drop.path / "a.csv")
    os.utime(drop.path / "b.csv")
    (drop.path / "c.csv").rename(drop.path / "e.csv")
    (drop.path / "d.csv").unlink()
    drop.pass_by()
    found = {key for key in drop.events() if key[0] != "added"}
    assert found == {("modified", "a.csv"), ("moved", "e.csv"), ("deleted", "d.csv")}
    assert set(drop.events().values()) == {1}


def test_what_changed_while_nobody_watched_is_found_and_nothing_else(
    drop: Folder, watcher: StartWatcher, site: Site
) -> None:
    for number in range(20):
        (drop.path / f"{number}.csv").write_text("x")
    drop.wait_for(20)
    pid = site.value("SELECT pid FROM files_leader")
    os.kill(pid, signal.SIGKILL)
    (drop.path / "0.csv").write_text("changed")
    (drop.path / "1.csv").unlink()
    (drop.path / "new.csv").write_text("new")
    os.utime(drop.path / "2.csv")
    watcher().wait_leading()
    found = drop.wait_for(23)
    drop.pass_by()
    assert found["modified", "0.csv"] == found["deleted", "1.csv"] == found["added", "new.csv"] == 1
    assert drop.events().total() == 24  # and the probe


def test_killed_again_and_again_each_file_is_taken_once(
    folder_make: FolderMake, watcher: StartWatcher
) -> None:
    folder = folder_make(debounce_ms=50)
    for turn in range(4):
        one = watcher()
        until(one.is_known, "it has begun")
        for number in range(80):
            (folder.path / f"{80 * turn + number}.csv").write_text(f"{turn} {number}")
        folder.wait_for(80 * turn + 1, "or more: some of this turn are taken")
        one.kill()
    watcher()
    found = folder.wait_for(320)
    folder.pass_by()
    assert set(folder.events().values()) == {1}
    assert {path for _, path in found} == {f"{number}.csv" for number in range(320)}


def test_two_watchers_do_no_harm_and_one_takes_over_for_the_other(
    drop: Folder, watcher: StartWatcher, site: Site
) -> None:
    first = site.value("SELECT pid FROM files_leader")
    second = watcher()
    until(second.is_known, "the second is there")
    for number in range(100):
        (drop.path / f"{number}.csv").write_text(str(number))
        if number == 50:
            os.kill(first, signal.SIGKILL)
    found = drop.wait_for(100)
    assert second.leads()
    drop.pass_by()
    assert set(drop.events().values()) == {1}
    assert len(found) == 100


def test_a_watcher_that_was_frozen_finds_that_it_leads_no_more(
    drop: Folder, watcher: StartWatcher, site: Site
) -> None:
    first = site.value("SELECT pid FROM files_leader")
    os.kill(first, signal.SIGSTOP)
    try:
        second = watcher()
        site.rows(
            "UPDATE files_leader SET lease_until = '-infinity'"
        )  # as if ten seconds had passed
        second.wait_leading()
        (drop.path / "a.csv").write_text("a")
        drop.wait_for(1)
    finally:
        os.kill(first, signal.SIGCONT)
    (drop.path / "b.csv").write_text("b")
    drop.wait_for(2)
    until(lambda: not _is_leading(site, first), "it stands by")
    drop.pass_by()
    assert set(drop.events().values()) == {1}


def _is_leading(site: Site, pid: int) -> bool:
    return bool(site.value("SELECT is_leading FROM files_watcher WHERE pid = %s", [pid]))


def test_a_rule_that_is_made_edited_and_paused_counts_at_once(
    drop: Folder, folder_make: FolderMake, site: Site
) -> None:
    other = folder_make("other")
    other.wait_scanned()
    (other.path / "a.csv").write_text("a")
    other.wait_for(1)
    site.rows(
        "UPDATE files_rule SET patterns = '{*.txt}', version = version + 1, indexed_at = NULL, "
        "scanned_at = NULL WHERE id = %s",
        [other.rule_id],
    )
    other.wait_scanned()
    (other.path / "b.csv").write_text("b")
    (other.path / "b.txt").write_text("b")
    assert other.wait_for(2) == {("added", "a.csv"): 1, ("added", "b.txt"): 1}
    site.rows(
        "UPDATE files_rule SET paused_at = now(), version = version + 1 WHERE id = %s",
        [other.rule_id],
    )
    (other.path / "c.txt").write_text("c")
    drop.pass_by()  # the other rule goes on
    assert other.events().total() == 2


def test_a_missing_directory_is_told_and_taken_up_when_it_is_there(
    folder_make: FolderMake, watcher: StartWatcher, site: Site
) -> None:
    folder = folder_make(exists=False)
    watcher().wait_leading()
    problem = "SELECT problem FROM files_rule WHERE id = %s"
    until(lambda: site.value(problem, [folder.rule_id]), "it says so")
    assert site.value(problem, [folder.rule_id]) == f"{folder.path} is not there."
    folder.path.mkdir()
    (folder.path / "a.csv").write_text("a")
    folder.wait_for(1)
    assert site.value(problem, [folder.rule_id]) == ""


def test_a_directory_that_vanishes_is_no_deletion_of_its_files(drop: Folder, site: Site) -> None:
    (drop.path / "a.csv").write_text("a")
    drop.wait_for(1)
    away = drop.path.with_name("away")
    drop.path.rename(away)
    problem = "SELECT problem FROM files_rule WHERE id = %s"
    until(lambda: site.value(problem, [drop.rule_id]), "it is told")
    away.rename(drop.path)
    until(lambda: not site.value(problem, [drop.rule_id]), "it is back")
    drop.pass_by()
    assert drop.events()["added", "a.csv"] == 1
    assert drop.events()["deleted", "a.csv"] == 0


def test_a_name_that_is_no_text_blinds_nobody(drop: Folder, site: Site) -> None:
    (drop.path / os.fsdecode(b"\xff.csv")).write_text("x")
    (drop.path / "a.csv").write_text("a")
    drop.wait_for(1)
    note = "SELECT note FROM files_rule WHERE id = %s"
    until(lambda: "not UTF-8" in site.value(note, [drop.rule_id]), "it is noted")
    drop.pass_by()


def test_files_in_new_directories_are_found(folder_make: FolderMake, watcher: StartWatcher) -> None:
    folder = folder_make(is_recursive=True)
    watcher().wait_leading()
    folder.wait_scanned()
    for number in range(20):
        deep = folder.path / f"{number}" / "x" / "y"
        deep.mkdir(parents=True)
        (deep / "a.csv").write_text(str(number))
    assert set(folder.wait_for(20).values()) == {1}
    shutil.rmtree(folder.path / "0")
    until(lambda: folder.events()["deleted", "0/x/y/a.csv"], "the deletion is seen")


def test_a_link_to_half_the_machine_is_not_watched_through(
    folder_make: FolderMake, watcher: StartWatcher
) -> None:
    folder = folder_make(is_recursive=True)
    (folder.path / "sub").mkdir()
    (folder.path / "sub" / "link").symlink_to("/usr")
    one = watcher().wait_leading()
    folder.wait_scanned()
    assert one.kernel_watches() == 2
    for number in range(3):
        (folder.path / f"{number}").mkdir()
        (folder.path / f"{number}" / "a.csv").write_text(str(number))
    assert set(folder.wait_for(3).values()) == {1}
    (folder.path / "sub" / "b.csv").write_text("b")
    folder.wait_for(4)
    until(lambda: one.kernel_watches() == 5, "the new directories are watched, too")
    (folder.path / "2" / "c.csv").write_text("c")
    folder.wait_for(5)


def test_without_events_of_the_kernel_it_looks_again_and_again(
    folder_make: FolderMake, watcher: StartWatcher
) -> None:
    folder = folder_make()
    one = watcher(FILE_WATCH_POLLING="1").wait_leading()
    folder.wait_scanned()
    assert one.kernel_watches() == 0
    (folder.path / "a.csv").write_text("a")
    folder.wait_for(1)


def test_a_restart_of_postgres_is_waited_out(drop: Folder, site: Site) -> None:
    embedded.restart_postgres(site.data_dir)
    (drop.path / "a.csv").write_text("a")
    drop.wait_for(1)
    drop.pass_by()
    assert drop.events()["added", "a.csv"] == 1


def test_sigterm_ends_it_and_the_tables_say_so(
    folder_make: FolderMake, watcher: StartWatcher, site: Site
) -> None:
    folder_make().path.joinpath("a.csv").write_text("a")
    one = watcher().wait_leading()
    assert one.kill(signal.SIGTERM) == 0
    assert not one.is_known()
    other = watcher().wait_leading()
    assert other.kill(signal.SIGINT) == 0


def test_it_needs_no_redis(folder_make: FolderMake, watcher: StartWatcher, site: Site) -> None:
    folder = folder_make()
    with site.without_redis():
        watcher(REDIS_URL="redis://127.0.0.1:1/0").wait_leading()
        folder.wait_scanned()
        (folder.path / "a.csv").write_text("a")
        folder.wait_for(1)
