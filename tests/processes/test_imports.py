"""Long imports whose workers die in the middle: the mirror of the panel, and a list of people."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.process

USERS = 6_000  # pages of a thousand
LINES = 60_000
KILLS = 2  # with three a job is taken for poison

_UPLOAD = f"""
import io
from notifications.broadcasts.audiences.uploads import upload_keep
text = "telegram_id\\n" + "".join(f"{{n}}\\n" for n in range(1, {LINES} + 1))
print(upload_keep("many.csv", io.BytesIO(text.encode()), size=len(text), source="test").pk)
"""


@pytest.fixture(autouse=True)
def own_people(site: Site) -> Iterator[None]:
    """Nobody of an earlier test is there, and nobody stays for the next one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows(
        """TRUNCATE subscriber, subscriber_event, mirror_pass, panel_state, panel_place,
        broadcast_audience, broadcast_upload, inbox_recipient CASCADE"""
    )
    site.rows("DELETE FROM jobs_breakerevent; DELETE FROM jobs_breaker")
    site.rows("DELETE FROM jobs_job WHERE kind LIKE 'subscriptions.%'")
    site.rows("DELETE FROM jobs_auditentry WHERE action LIKE 'broadcasts.%'")


def kill_who_runs(site: Site, kind: str) -> None:
    """Wait until a worker runs a job of the kind, and kill it."""
    query = "SELECT worker FROM jobs_job WHERE kind = %s AND state = 'running'"
    worker = until(lambda: site.value(query, [kind]), f"somebody runs {kind}")
    os.kill(int(worker.split(":")[1]), signal.SIGKILL)


def test_workers_killed_in_the_middle_of_a_pass_over_the_panel_mirror_everybody_once(
    site: Site, start: Callable[..., Cluster], sandbox: Sandbox
) -> None:
    sandbox.panel.seed(USERS)
    sandbox.panel.fault(kind="latency", latency_ms=150)
    start(
        "mirror", REMNAWAVE_URL=sandbox.panel_url, REMNAWAVE_API_TOKEN="tests-panel",
        PANEL_RATE="1000/s",
    )  # fmt: skip
    site.call("enqueue", "subscriptions.sync_users")

    def seen() -> int:
        return int(site.value("SELECT coalesce(max(seen), 0) FROM mirror_pass") or 0)

    for share in range(1, KILLS + 1):
        until(lambda n=share: seen() >= n * 2_000, "some pages are read")  # type: ignore[misc]
        assert seen() < USERS, "it was over before anybody could be killed"
        kill_who_runs(site, "subscriptions.sync_users")
    until(
        lambda: site.rows("SELECT 1 FROM mirror_pass WHERE finished_at IS NOT NULL"),
        "the pass is over",
        within_s=120,
    )

    # One pass, of which no page was read into the tables twice.
    assert site.rows("SELECT seen, created, changed, missing, error FROM mirror_pass") == [
        (USERS, USERS, 0, 0, "")
    ]
    assert site.rows(
        "SELECT count(*), count(DISTINCT panel_id), count(DISTINCT username) FROM subscriber"
    ) == [(USERS, USERS, USERS)]


def test_a_worker_killed_while_it_imports_a_list_leaves_one_whole_list(
    site: Site, start: Callable[..., Cluster]
) -> None:
    site.rows(
        """INSERT INTO inbox_recipient (user_id, login, telegram_id)
        SELECT n, 'person' || n, n FROM generate_series(1, %s) n""",
        [LINES],
    )
    upload = site.manage("shell", "-c", _UPLOAD).strip().splitlines()[-1]
    start("import")

    def state() -> str:
        return str(site.value("SELECT state FROM broadcast_upload WHERE id = %s", [upload]))

    until(lambda: state() == "running", "the import has begun")
    kill_who_runs(site, "broadcasts.import_audience")
    until(lambda: state() == "done", "the list is made", within_s=120)

    assert site.rows("SELECT name, members, rejected FROM broadcast_audience") == [
        ("many.csv", LINES, 0)
    ]
    assert site.rows(
        "SELECT count(*), count(DISTINCT recipient_id) FROM broadcast_audience_member"
    ) == [(LINES, LINES)]
    assert site.rows("SELECT count(*) FROM broadcast_upload_chunk") == [(0,)]
    crashes = "SELECT crash_count FROM jobs_jobrecord WHERE args->>'upload_id' = %s"
    until(lambda: site.rows(crashes, [upload]) == [(1,)], "its one death is counted")
