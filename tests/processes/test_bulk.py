"""Bulk operations with real workers that die while the panel is being asked."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.process

PEOPLE = 400
KILLS = 6
DAYS = 30

_BEGIN = """
from subscriptions.bulk.starting import bulk_start
from subscriptions.models import BulkKind
everybody = {{"status": ["ACTIVE", "LIMITED", "EXPIRED", "DISABLED"]}}
row = bulk_start(kind=BulkKind("{kind}"), params={params}, selection={{"filter": everybody}},
    source="api", by=None)
print(row.pk)
"""


@pytest.fixture(autouse=True)
def own_people(site: Site) -> Iterator[None]:
    """Nobody of an earlier test is there, and nobody stays for the next one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows("TRUNCATE subscriber, bulk_operation, bulk_item, subscriber_event CASCADE")
    site.rows("DELETE FROM jobs_breakerevent; DELETE FROM jobs_breaker")
    site.rows("DELETE FROM jobs_job WHERE kind LIKE 'subscriptions.%'")
    site.rows("UPDATE jobs_queue SET paused_at = NULL WHERE name = 'notifications'")


def mirrored(site: Site, sandbox: Sandbox) -> dict[int, datetime]:
    """People of the panel, half of them over, as the mirror has them: {number: end}."""
    sandbox.panel.seed(PEOPLE, expires_from_s=-86_400.0 * 10, expires_to_s=86_400.0 * 50)
    users = sandbox.panel.users()
    for user in users:
        site.rows(
            """INSERT INTO subscriber (panel_id, username, status, expire_at, traffic_limit_strategy)
            VALUES (%s, %s, %s, %s, 'NO_RESET')""",
            [user["id"], user["username"], user["status"], user["expireAt"]],
        )
    return {user["id"]: datetime.fromisoformat(user["expireAt"]) for user in users}


def settled(site: Site, operation: str) -> int:
    found = site.value(
        "SELECT done + failed + skipped FROM bulk_operation WHERE id = %s", [operation]
    )
    return int(found or 0)


def kill_one(site: Site, cluster: Cluster) -> bool:
    """Kill a worker, rather one that walks just now."""
    query = """SELECT worker FROM jobs_job
        WHERE kind LIKE 'subscriptions.bulk\\_%' AND state = 'running'"""
    busy = [int(worker.split(":")[1]) for (worker,) in site.rows(query)]
    pids = busy or cluster.roles().get("worker", [])
    with suppress(ProcessLookupError):
        os.kill(pids[0], signal.SIGKILL)
        return True
    return False


def walked_over_kills(
    site: Site, cluster: Cluster, kind: str, params: dict[str, Any]
) -> tuple[str, int]:
    """Begin an operation over everybody and kill workers until it is done: (operation, kills)."""
    code = _BEGIN.format(kind=kind, params=params)
    pause = "UPDATE jobs_queue SET paused_at = {} WHERE name = 'notifications'"
    site.rows(pause.format("now()"))  # or it would be over before who orders it has left the shell
    operation = site.manage("shell", "-c", code).strip().splitlines()[-1]
    until(lambda: walkers(site), "the people are chosen")
    site.rows(pause.format("NULL"))
    kills, at_kill = 0, 0

    def is_over() -> bool:
        if site.value("SELECT state FROM bulk_operation WHERE id = %s", [operation]) == "done":
            return True
        if not walkers(site):  # as each minute where there are schedules
            site.manage("run_job", "subscriptions.watch_bulk")
        return False

    while kills < KILLS:
        until(
            lambda: settled(site, operation) > at_kill or is_over(),  # noqa: B023
            "it goes on after a kill",
        )
        if is_over():
            break
        at_kill = settled(site, operation)
        kills += kill_one(site, cluster)
    until(is_over, "everybody has a fate", within_s=120)
    return operation, kills


def walkers(site: Site) -> int:
    found = site.value("SELECT count(*) FROM jobs_job WHERE kind = 'subscriptions.bulk_walk'")
    return int(found or 0)


def test_workers_killed_while_they_extend_give_everybody_one_period(
    site: Site, start: Callable[..., Cluster], sandbox: Sandbox
) -> None:
    cluster = start(
        "bulk", REMNAWAVE_URL=sandbox.panel_url, REMNAWAVE_API_TOKEN="tests-panel",
        BULK_BATCH_SIZE="10", PANEL_RATE="1000/s",
    )  # fmt: skip
    before = mirrored(site, sandbox)
    sandbox.panel.fault(
        kind="latency", latency_ms=150
    )  # so that it lasts longer than the kills, also on a busy machine
    asked = datetime.now().astimezone()
    operation, kills = walked_over_kills(site, cluster, "extend", {"days": DAYS})

    counts = site.rows(
        "SELECT total, done, failed, skipped FROM bulk_operation WHERE id = %s", [operation]
    )
    assert counts == [(PEOPLE, PEOPLE, 0, 0)]
    by_fate = site.rows("SELECT state, count(*) FROM bulk_item GROUP BY 1")
    assert dict(by_fate) == {"done": PEOPLE}
    for user in sandbox.panel.users():
        end, was = datetime.fromisoformat(user["expireAt"]), before[user["id"]]
        if was > asked + timedelta(minutes=5):
            assert end == was + timedelta(days=DAYS)
        elif was < asked:
            # Over: a period from the moment of the operation, whenever that was done again.
            assert timedelta() <= end - asked - timedelta(days=DAYS) < timedelta(minutes=5)
    events = Counter(
        person for (person,) in site.rows("SELECT subscriber_id FROM subscriber_event")
    )
    assert set(events.values()) == {1}
    assert len(events) == PEOPLE
    assert kills == KILLS, f"it was over after {kills} kills"


def test_workers_killed_with_packs_on_their_way_disable_everybody_once(
    site: Site, start: Callable[..., Cluster], sandbox: Sandbox
) -> None:
    cluster = start(
        "bulk", REMNAWAVE_URL=sandbox.panel_url, REMNAWAVE_API_TOKEN="tests-panel",
        BULK_BATCH_SIZE="5", PANEL_RATE="1000/s",
    )  # fmt: skip
    mirrored(site, sandbox)
    site.rows("UPDATE subscriber SET status = 'ACTIVE'")
    over = {user["id"] for user in sandbox.panel.users() if user["status"] == "EXPIRED"}
    sandbox.panel.fault(kind="latency", latency_ms=30)
    operation, kills = walked_over_kills(site, cluster, "disable", {})

    counts = site.rows(
        "SELECT total, done, failed, skipped FROM bulk_operation WHERE id = %s", [operation]
    )
    assert counts == [(PEOPLE, PEOPLE - len(over), 0, len(over))]
    reasons = site.rows("SELECT DISTINCT reason FROM bulk_item WHERE state = 'skipped'")
    assert reasons == [("not_served",)]
    for user in sandbox.panel.users():
        assert user["status"] == ("EXPIRED" if user["id"] in over else "DISABLED")
    events = Counter(
        person for (person,) in site.rows("SELECT subscriber_id FROM subscriber_event")
    )
    assert set(events.values()) == {1}
    assert len(events) == PEOPLE - len(over)
    assert kills == KILLS, f"it was over after {kills} kills"
