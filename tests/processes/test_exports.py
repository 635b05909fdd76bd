"""An export whose writer is killed: before its file has a name, and before its row says done."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

ROWS = 12_000  # three chunks
_ORDER = """
from reports.exports.services import export_order
print(export_order(type="audit", columns=["id", "account"]).pk)
"""


@pytest.fixture(autouse=True)
def own_rows(site: Site) -> Iterator[None]:
    site.rows(
        """INSERT INTO jobs_auditentry (at, account_name, action, object_type, object_id, changes)
        SELECT now(), 'account ' || n, 'x', 'y', 'z', '{}' FROM generate_series(1, %s) n""",
        [ROWS],
    )
    yield
    site.rows("TRUNCATE export, jobs_auditentry")
    site.rows("DELETE FROM jobs_job WHERE kind LIKE 'reports.%'")


def stopped(cluster: Cluster) -> bool:
    """Whether one of its processes has struck a fault and stands still."""
    for process in cluster.living():
        with suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_STOPPED:
                return True
    return False


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_killed_writer_leaves_no_half_file_and_the_next_one_a_whole_one(
    site: Site, start: Callable[..., Cluster]
) -> None:
    folder = site.data_dir / "exports"
    export = site.manage("shell", "-c", _ORDER).strip().splitlines()[-1]
    state = "SELECT state, attempt, storage_name FROM export WHERE id = %s"

    cluster = start("first", SWITCHBOARD_FAULTS="exports.written=stop")
    until(lambda: stopped(cluster), "the file is written and has no name")
    assert site.rows(state, [export]) == [("running", 1, "")]
    assert (files(folder), len(files(folder / ".partial"))) == ([], 1)
    cluster.signal_all(signal.SIGKILL)
    cluster.end()

    cluster = start("second", SWITCHBOARD_FAULTS="exports.stored=stop")
    until(lambda: stopped(cluster), "the file has its name and the row is not done")
    assert site.rows(state, [export]) == [("running", 2, "")]
    assert files(folder) == [f"{export}-2.csv"]
    assert files(folder / ".partial") == []
    cluster.signal_all(signal.SIGKILL)
    cluster.end()

    start("third")
    until(lambda: site.rows(state, [export])[0][0] == "done", "the third writer is done")
    assert site.rows(state, [export]) == [("done", 3, f"{export}-3.csv")]
    lines = (folder / f"{export}-3.csv").read_text().splitlines()
    ids = [int(line.split(",")[0]) for line in lines[1:]]
    expected = [number for (number,) in site.rows("SELECT id FROM jobs_auditentry ORDER BY id")]
    assert lines[0] == "id,account"
    assert ids == expected

    for path in folder.iterdir():
        os.utime(path, (0, 0))
    cleaned = site.manage("run_job", "reports.clean_exports")
    assert '"orphans": 1' in cleaned
    assert files(folder) == [f"{export}-3.csv"]
