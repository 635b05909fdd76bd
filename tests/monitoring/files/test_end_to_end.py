"""From a dropped file to its effect, with a real watcher and a real pool whose workers are killed."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitoring.files.watchers import Folder, WatcherProcess
from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process


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
def running(site: Site, base: Path) -> Iterator[Cluster]:
    """A watcher and a pool that see the same directories."""
    cluster = site.cluster("files", 2, FILE_WATCH_ROOTS=str(base))
    environment = {**site.environment, "FILE_WATCH_ROOTS": str(base)}
    watcher = WatcherProcess(site, site.scratch / "watcher.log", environment).wait_leading()
    yield cluster
    watcher.end()
    cluster.end()


def test_dropped_lists_become_audiences_once_though_workers_are_killed(
    site: Site, base: Path, running: Cluster
) -> None:
    site.rows(
        """INSERT INTO inbox_recipient (user_id, login)
        SELECT n, 'u' || n FROM generate_series(1, 2000) n"""
    )
    (base / "lists").mkdir()
    folder = Folder(site, base / "lists", action="audience", options="{}")
    folder.wait_scanned()
    count = 40
    for number in range(count):
        lines = [f"{n},u{n}" for n in range(1, 2001)]
        (folder.path / f"list{number}.csv").write_text("\n".join(["id,login", *lines, "nobody,x"]))
    query = "SELECT count(*) FROM files_event WHERE outcome = 'done'"
    worker = "SELECT worker FROM jobs_job WHERE kind = 'files.file_event' AND state = 'running'"
    for done in (3, 20):  # a job that kills three workers is held to be poison
        until(lambda done=done: site.value(query) >= done, f"{done} lists are done")  # type: ignore[misc]
        held = until(lambda: site.value(worker) or site.value(query) == count, "a worker is at it")
        if held is not True:
            os.kill(int(str(held).split(":")[1]), signal.SIGKILL)
    unfinished = "SELECT count(*) FROM files_batch WHERE state <> 'finished'"
    until(lambda: site.value(query) == count and not site.value(unfinished), "all lists are done")
    made = site.rows("SELECT name, members, rejected FROM broadcast_audience")
    assert sorted(made) == sorted((f"list{number}", 2000, 1) for number in range(count))
    totals = site.rows(
        "SELECT sum(total), sum(done), sum(failed), sum(skipped), sum(rejected) FROM files_batch"
    )
    assert totals == [(count, count, 0, 0, count)]
    reports = list(folder.path.glob("*.rejects.csv"))
    assert len(reports) == count
    folder.pass_by()
    assert not [path for _, path in folder.events() if path.endswith(".rejects.csv")]


def test_a_chat_is_told_what_changed(site: Site, base: Path, running: Cluster) -> None:
    (base / "drop").mkdir()
    folder = Folder(site, base / "drop")
    folder.wait_scanned()
    for name in ("a", "b", "c"):
        (folder.path / f"{name}.csv").write_text(name)
    query = "SELECT message FROM notification_queue WHERE notification_type = 'files_changed'"
    until(lambda: site.rows(query), "the message is queued")
    until(
        lambda: (
            site.value("SELECT sum(done) FROM files_batch WHERE rule_id = %s", [folder.rule_id])
            == folder.events().total()
            == 3
        ),
        "all are told",
    )
    told = "\n".join(row[0] for row in site.rows(query))
    assert all(f"<code>{name}.csv</code>" in told for name in ("a", "b", "c"))
