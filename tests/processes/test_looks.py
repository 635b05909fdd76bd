"""What nobody announces is found by a pool that has no schedules: its pusher looks, killed or not."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from lib.ids import uuid7
from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

TABLES = "inbox_outbox, notification_broadcasts, broadcast_ledger, broadcast_tally"
RELAY, START = "inbox.relay_unpushed", "broadcasts.start_due"


@pytest.fixture(autouse=True)
def own_rows(site: Site) -> Iterator[None]:
    """Nothing of an earlier test is found, and nothing of ours by a later one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows(f"TRUNCATE {TABLES} CASCADE")
    site.rows("DELETE FROM jobs_job WHERE kind LIKE 'broadcasts.%%' OR kind = %s", [RELAY])


def left_behind(site: Site, age_s: float = 0.0) -> None:
    """What a process leaves that dies between its commit and the publishing."""
    site.rows(
        """INSERT INTO inbox_outbox (created_at, recipient_ids, positions)
        VALUES (clock_timestamp() - make_interval(secs => %s), '{}', '{}')""",
        [age_s],
    )


def is_relayed(site: Site) -> bool:
    return bool(site.value("SELECT count(*) = 0 FROM inbox_outbox"))


def broadcast_write(site: Site) -> str:
    """A broadcast that is due, by plain SQL: no job is asked for."""
    broadcast_id = uuid7()
    site.rows(
        """INSERT INTO notification_broadcasts (id, title, body, audience, channels, status, scheduled_at)
        VALUES (%s, 'Feature launch', 'We are live!', '{"type": "all_users"}', '{inbox}',
            'scheduled', clock_timestamp())""",
        [broadcast_id],
    )
    return str(broadcast_id)


def made(site: Site, kind: str) -> int:
    return int(site.value("SELECT count(*) FROM jobs_jobrecord WHERE kind = %s", [kind]))


def test_what_a_dead_process_left_is_relayed(site: Site, start: Callable[..., Cluster]) -> None:
    relays, starts = made(site, RELAY), made(site, START)  # of earlier tests
    start()
    until(lambda: made(site, RELAY) > relays, "the pusher has asked once at its start")
    until(lambda: made(site, START) > starts, "and once for broadcasts")
    is_quiet = "SELECT count(*) = 0 FROM jobs_job WHERE kind IN (%s, %s)"
    until(lambda: site.value(is_quiet, [RELAY, START]), "both ran")
    starts = made(site, START)
    for age_s in (0.0, 600.0):
        before = made(site, RELAY)
        left_behind(site, age_s)
        until(lambda: is_relayed(site), "it is found")
        assert made(site, RELAY) > before
    assert made(site, START) == starts, "for what has no work nothing is made"


def test_a_broadcast_that_nobody_announced_starts(
    site: Site, start: Callable[..., Cluster]
) -> None:
    starts = made(site, START)  # of earlier tests
    cluster = start()
    until(lambda: made(site, START) > starts, "the pusher has asked once at its start")
    for is_killed in (False, True):
        broadcast_id = broadcast_write(site)
        if is_killed:
            os.kill(cluster.pid_of("pusher"), signal.SIGKILL)
        query = "SELECT started_at IS NOT NULL FROM notification_broadcasts WHERE id = %s"
        until(lambda q=query, b=broadcast_id: site.value(q, [b]), "it starts")  # type: ignore[misc]
