"""A cleanup whose worker is killed between two pieces."""

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

ROWS = 2_500  # three pieces; each 64th of them waits
_BEGIN = """
from reports.retention.services import retention_begin
print(retention_begin(kind="reports.clean_notification_queue", is_dry=False, by=None).pk)
"""


@pytest.fixture(autouse=True)
def own_rows(site: Site) -> Iterator[None]:
    site.rows(
        """INSERT INTO notification_queue
            (telegram_id, message, status, created_at, scheduled_at, sent_at)
        SELECT 7, 'old', CASE WHEN n %% 64 = 0 THEN 'pending' ELSE 'sent' END,
            now() - interval '30 days', now() + interval '1 day',
            CASE WHEN n %% 64 = 0 THEN NULL ELSE now() - interval '30 days' END
        FROM generate_series(1, %s) n""",
        [ROWS],
    )
    yield
    site.rows("TRUNCATE retention_run, notification_queue CASCADE")
    site.rows("DELETE FROM jobs_job WHERE kind LIKE 'reports.%'")


def stopped(cluster: Cluster) -> bool:
    """Whether one of its processes has struck the fault and stands still."""
    for process in cluster.living():
        with suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_STOPPED:
                return True
    return False


def left(site: Site) -> dict[str, int]:
    return dict(site.rows("SELECT status, count(*) FROM notification_queue GROUP BY 1"))


def test_a_killed_cleanup_has_counted_what_it_took_and_the_next_one_goes_on(
    site: Site, start: Callable[..., Cluster]
) -> None:
    run = site.manage("shell", "-c", _BEGIN).strip().splitlines()[-1]
    state = "SELECT state, rows FROM retention_run WHERE id = %s"
    before = left(site)

    cluster = start("first", SWITCHBOARD_FAULTS="retention.piece=stop")
    until(lambda: stopped(cluster), "the first piece is gone")
    ((word, rows),) = site.rows(state, [run])
    assert word == "running"
    assert 0 < rows < before["sent"]
    assert left(site) == {**before, "sent": before["sent"] - rows}, "what is gone is counted"
    cluster.signal_all(signal.SIGKILL)
    cluster.end()

    start("second")
    until(lambda: site.rows(state, [run])[0][0] == "done", "the second worker is done")
    assert site.rows(state, [run]) == [("done", before["sent"])]
    assert left(site) == {"pending": before["pending"]}, "what waits is never taken"
