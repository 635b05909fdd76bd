"""Webhooks with a real cluster and a real receiver: workers die, or are stopped, while they send."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from notifications.webhooks.sealing import seal
from tests.notifications.webhooks.receiver import Receiver
from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
COUNT = 400
Start = Callable[..., Cluster]


@pytest.fixture(autouse=True)
def own_endpoints(site: Site) -> Iterator[None]:
    """Nothing of an earlier test is due, and nothing stays for the next one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows(
        "TRUNCATE webhook_endpoint, webhook_lane, webhook_event, webhook_delivery, "
        "webhook_attempt, webhook_tally"
    )


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def senders(start: Start) -> Start:
    """Start a cluster that may send to this machine."""

    def begin(workers: int = 2, **environment: str) -> Cluster:
        return start(
            "hooks", workers, WEBHOOK_PRIVATE_NETWORKS="127.0.0.0/8", **environment
        ).wait_ready()

    return begin


def endpoint_make(site: Site, url: str, per_minute: int | None = None) -> None:
    site.rows(
        """WITH made AS (
            INSERT INTO webhook_endpoint (id, title, url, event_types, secret, rate_per_minute)
            VALUES (%s, 'Shop', %s, '{*}', %s, %s) RETURNING id
        ) INSERT INTO webhook_lane (endpoint_id) SELECT id FROM made""",
        [uuid4(), url, seal(SECRET), per_minute],
    )


def deliveries_make(site: Site, count: int) -> None:
    """So many events for every endpoint, as event_emit would write them."""
    site.rows(
        """WITH made AS (
            INSERT INTO webhook_event (id, type, body)
            SELECT gen_random_uuid(), 'webhook.test', '{}' FROM generate_series(1, %s) RETURNING id
        ), told AS (
            INSERT INTO webhook_delivery (event_id, endpoint_id, event_type, next_attempt_at)
            SELECT m.id, e.id, 'webhook.test', clock_timestamp() FROM made m, webhook_endpoint e
            RETURNING 1
        ) SELECT pg_notify('jobs_wake', 'webhooks.send_due') FROM told LIMIT 1""",
        [count],
    )


def states(site: Site, url: str = "") -> dict[str, int]:
    return dict(
        site.rows(
            """SELECT d.state, count(*) FROM webhook_delivery d
            JOIN webhook_endpoint e ON e.id = d.endpoint_id WHERE strpos(e.url, %s) > 0
            GROUP BY 1""",
            [url],
        )
    )


def arrivals(receiver: Receiver, path: str = "/") -> Counter[str]:
    return Counter(each.headers["webhook-id"] for each in receiver.received if each.path == path)


def sender(site: Site) -> int:
    """The pid of the worker that holds a lane."""

    def found() -> list[tuple[int]]:
        return site.rows(
            """SELECT w.pid FROM jobs_worker w JOIN jobs_job j ON j.worker = w.id
            JOIN webhook_lane l ON l.job_id = j.id WHERE l.held_until > clock_timestamp()"""
        )

    return int(until(found, "a worker sends")[0][0])


def test_no_delivery_is_lost_when_workers_are_killed_while_they_send(
    site: Site, senders: Start, hooks: Receiver
) -> None:
    cluster = senders()
    endpoint_make(site, hooks.url(), per_minute=6000)
    deliveries_make(site, COUNT)
    for share in (1, 2):
        until(lambda n=share: len(hooks.received) >= n * COUNT // 4, "some have arrived")  # type: ignore[misc]
        os.kill(sender(site), signal.SIGKILL)
        cluster.wait_ready()
    until(lambda: states(site) == {"delivered": COUNT}, "all are delivered")
    found = arrivals(hooks)
    assert len(found) == COUNT
    # What was on its way in a killed worker comes again: a window of requests and a batch, no more.
    assert sum(found.values()) - COUNT <= 2 * (8 + 64)


def test_the_successor_of_a_killed_worker_serves_others_while_an_endpoint_hangs(
    site: Site, senders: Start, hooks: Receiver
) -> None:
    hooks.hangs("/hanging")
    cluster = senders(workers=1)
    endpoint_make(site, hooks.url("/hanging"))
    deliveries_make(site, 1)
    hooks.wait_for(lambda: "/hanging" in hooks.paths())
    os.kill(sender(site), signal.SIGKILL)
    cluster.wait_ready()
    hooks.wait_for(lambda: hooks.paths().count("/hanging") == 2)
    endpoint_make(site, hooks.url("/"))
    deliveries_make(site, 10)
    until(lambda: states(site, hooks.url("/")).get("delivered") == 10, "the other is served")
    assert states(site, "hanging") == {"pending": 11}


def test_a_stop_sends_nothing_twice_and_leaves_the_rest_for_later(
    site: Site, senders: Start, hooks: Receiver
) -> None:
    cluster = senders(WORKER_GRACE="20s")
    endpoint_make(site, hooks.url(), per_minute=1200)
    deliveries_make(site, COUNT)
    until(lambda: len(hooks.received) >= 20, "some have arrived")
    assert cluster.stop() == 0
    found = arrivals(hooks)
    assert set(found.values()) == {1}
    assert states(site) == {"delivered": len(found), "pending": COUNT - len(found)}
    site.rows("UPDATE webhook_endpoint SET rate_per_minute = NULL")
    senders()
    until(lambda: states(site) == {"delivered": COUNT}, "the next cluster sends the rest")
    assert set(arrivals(hooks).values()) == {1}
