"""A sweep with real workers that die in the middle: everybody is cut once, told once, audited once."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.process

PEOPLE = 30
KILLS = 2  # with three the same job may die of them, which is another story


@pytest.fixture(autouse=True)
def own_people(site: Site) -> Iterator[None]:
    """Nobody of an earlier test is there, and nobody stays for the next one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows(
        """TRUNCATE subscriber, subscriber_event, subscription_notice, subscription_sweep,
        subscription_sweep_item, notification_queue, telegram_dedup, panel_place CASCADE"""
    )
    site.rows("DELETE FROM jobs_breakerevent; DELETE FROM jobs_breaker")
    site.rows("DELETE FROM jobs_job WHERE kind LIKE 'subscriptions.%'")
    site.rows("DELETE FROM jobs_auditentry WHERE action LIKE 'subscriptions.%'")


def overdue(site: Site, sandbox: Sandbox) -> None:
    """People whose time is over, and whom a panel without its own sweep serves all the same."""
    sandbox.panel.settings(expiry_every_s=1e7)
    ended_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="milliseconds")
    for number in sandbox.panel.seed(PEOPLE, expires_from_s=3600.0, expires_to_s=7200.0):
        user = sandbox.panel.change(number, expireAt=ended_at)
        site.rows(
            """INSERT INTO subscriber (panel_id, username, short_uuid, status, expire_at, telegram_id,
            traffic_limit_strategy) VALUES (%s, %s, %s, 'ACTIVE', %s, %s, 'NO_RESET')""",
            [user["id"], user["username"], user["shortUuid"], user["expireAt"], user["telegramId"]],
        )


def done(site: Site) -> int:
    return int(site.rows("SELECT coalesce(sum(done), 0) FROM subscription_sweep")[0][0])


def kill_one(site: Site, cluster: Cluster) -> None:
    """Kill a worker, rather one that cuts somebody just now."""
    busy = site.rows(
        "SELECT worker FROM jobs_job WHERE kind = 'subscriptions.cut_subscriber' AND state = 'running'"
    )
    pids = [int(worker.split(":")[1]) for (worker,) in busy] or cluster.roles().get("worker", [])
    with suppress(ProcessLookupError):
        os.kill(pids[0], signal.SIGKILL)


def test_workers_killed_in_the_middle_of_a_sweep_cut_everybody_once(
    site: Site, start: Callable[..., Cluster], sandbox: Sandbox
) -> None:
    overdue(site, sandbox)
    sandbox.panel.fault(kind="latency", latency_ms=10)
    # All of them are unusually many; the brake is not looked at here.
    site.rows(
        """INSERT INTO subscription_sweep_settings (name, share) VALUES
        ('subscriptions.disable_expired', 100) ON CONFLICT (name) DO UPDATE SET share = 100"""
    )
    cluster = start(
        "sweep", REMNAWAVE_URL=sandbox.panel_url, REMNAWAVE_API_TOKEN="tests-panel",
        PANEL_RATE="1000/s",
    )  # fmt: skip
    site.call("enqueue", "subscriptions.disable_expired")
    for share in range(1, KILLS + 1):
        until(lambda n=share: done(site) >= n * PEOPLE // 4, "some are cut")  # type: ignore[misc]
        kill_one(site, cluster)
    until(
        lambda: site.rows("SELECT state FROM subscription_sweep") == [("done",)],
        "the sweep is over",
        within_s=120,
    )

    assert site.rows("SELECT found, done FROM subscription_sweep") == [(PEOPLE, PEOPLE)]
    assert {user["status"] for user in sandbox.panel.users()} == {"DISABLED"}
    assert site.rows("SELECT status, cut_by, count(*) FROM subscriber GROUP BY 1, 2") == [
        ("DISABLED", "sweep", PEOPLE)
    ]
    audited = Counter(
        name
        for (name,) in site.rows(
            "SELECT object_id FROM jobs_auditentry WHERE action = 'subscriptions.disable_expired'"
        )
    )
    assert set(audited.values()) == {1}
    assert len(audited) == PEOPLE
    until(
        lambda: not site.rows("SELECT 1 FROM subscription_notice WHERE state = 'due'"),
        "everybody is told",
    )
    assert site.rows(
        "SELECT notification_type, count(*), count(DISTINCT telegram_id) FROM notification_queue GROUP BY 1"
    ) == [("subscription_deactivated", PEOPLE, PEOPLE)]
    # A request that a killed worker had sent is found out by reading, not sent again.
    writes = Counter(write["user_ids"][0] for write in sandbox.panel.writes())
    assert set(writes.values()) == {1}
