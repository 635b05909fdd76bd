"""The Telegram queue with a real cluster: rows arrive by plain SQL, workers die while they send."""

import os
import shlex
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from config import embedded
from tests.processes.cluster import Cluster
from tests.processes.site import Site
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.process

TOKEN = "7000000001:AAE-sEcReT_part"
Start = Callable[..., Cluster]
Report = Callable[[str, object], None]


@pytest.fixture(autouse=True)
def own_queue(site: Site) -> Iterator[None]:
    """Nothing of an earlier test is due, and nothing stays for the next one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows("TRUNCATE notification_queue, telegram_chat, telegram_dedup, jobs_ratebucket")
    site.rows("DELETE FROM jobs_breakerevent")
    site.rows("DELETE FROM jobs_breaker")


@pytest.fixture
def lane(site: Site, start: Start, sandbox: Sandbox) -> Start:
    """Start a cluster whose bot speaks to the sandbox, and see it send: lane(TELEGRAM_RATE="100")."""

    def begin(workers: int = 2, **environment: str) -> Cluster:
        cluster = start(
            "telegram", workers,
            TELEGRAM_API_URL=sandbox.telegram_url, TELEGRAM_BOT_TOKEN=TOKEN, **environment,
        )  # fmt: skip
        insert(site, 1)
        until(lambda: states(site) == {"sent": 1}, "the lane sends")
        _forget(site)
        sandbox.reset()
        return cluster

    return begin


def psql(site: Site, statement: str) -> None:
    """Run a statement as any other backend would."""
    command = shlex.split(embedded.psql_command(site.data_dir))
    subprocess.run([*command, "-qc", statement], check=True, capture_output=True, timeout=30)


def insert(site: Site, count: int, *, first_chat: int = 1000, priority: int = 2) -> None:
    """So many messages to as many chats, in one statement. Their texts are their ids."""
    site.rows(
        """INSERT INTO notification_queue (telegram_id, message, priority)
        SELECT %s + n, 'text ' || n, %s FROM generate_series(1, %s) n""",
        [first_chat, priority, count],
    )


def states(site: Site) -> dict[str, int]:
    return dict(site.rows("SELECT status, count(*) FROM notification_queue GROUP BY status"))


def on_their_way(site: Site) -> int:
    query = "SELECT count(*) FROM notification_queue WHERE claimed_at IS NOT NULL"
    return int(site.value(query))


def arrive(sandbox: Sandbox, count: int) -> None:
    """Wait until so many messages are there."""
    sandbox.wait_for(lambda: sandbox.stats()["delivered"] >= count, timeout_s=60)


def sender(site: Site) -> int:
    """The process that runs the lane now."""
    query = "SELECT worker FROM jobs_job WHERE kind = 'telegram.drain_queue' AND state = 'running'"
    return int(until(lambda: site.value(query), "somebody sends").split(":")[1])


def test_a_row_inserted_by_psql_arrives_at_once_and_says_so(
    site: Site, lane: Start, sandbox: Sandbox, record_property: Report
) -> None:
    lane()
    took_s = []
    for number in range(1, 6):
        before = time.monotonic()
        psql(
            site,
            "INSERT INTO notification_queue (telegram_id, message, notification_type, scheduled_at) "
            f"VALUES ({500 + number}, '<b>Hello {number}</b>', 'expiry', now())",
        )
        sandbox.wait_for(partial(sandbox.messages, 500 + number), timeout_s=60)
        took_s.append(time.monotonic() - before)
    until(lambda: states(site) == {"sent": 5}, "all rows say so")
    rows = site.rows("SELECT sent_at, message_id, attempts, maybe_doubled FROM notification_queue")
    assert all(sent_at and message_id for sent_at, message_id, _, _ in rows)
    assert {(attempts, doubled) for _, _, attempts, doubled in rows} == {(0, False)}
    assert [m["text"] for m in sandbox.messages()] == [f"Hello {n}" for n in range(1, 6)]
    record_property("insert_to_arrival_s", [round(each, 3) for each in took_s])
    print("insert to arrival, psql included:", *(f"{each * 1000:.0f} ms" for each in took_s))


def test_messages_arrive_in_order_in_their_chat_and_once(
    site: Site, lane: Start, sandbox: Sandbox
) -> None:
    lane()
    for number in range(4):
        site.rows(
            """INSERT INTO notification_queue (telegram_id, message)
            SELECT 700 + c, %s::text FROM generate_series(1, 8) c""",
            [number],
        )
    until(lambda: states(site) == {"sent": 32}, "all are sent")
    for chat in range(701, 709):
        assert [m["text"] for m in sandbox.messages(chat)] == ["0", "1", "2", "3"]
    assert sandbox.stats()["limited"] == 0


def test_a_row_of_a_transaction_that_rolls_back_is_never_sent(
    site: Site, lane: Start, sandbox: Sandbox
) -> None:
    lane()
    psql(
        site,
        "BEGIN; INSERT INTO notification_queue (telegram_id, message) VALUES (1, 'no'); ROLLBACK",
    )
    psql(site, "INSERT INTO notification_queue (telegram_id, message) VALUES (2, 'yes')")
    until(lambda: states(site) == {"sent": 1}, "the other one is sent")
    assert [m["text"] for m in sandbox.messages()] == ["yes"]


def test_rows_that_came_while_nobody_listened_are_sent_at_the_start(
    site: Site, start: Start, sandbox: Sandbox
) -> None:
    insert(site, 3)  # this site has no schedules: only whoever looks finds them
    start("telegram", TELEGRAM_API_URL=sandbox.telegram_url, TELEGRAM_BOT_TOKEN=TOKEN)
    until(lambda: states(site) == {"sent": 3}, "all are sent")


def test_rows_that_came_just_after_a_restart_of_postgres_are_sent(
    site: Site, lane: Start, sandbox: Sandbox
) -> None:
    lane()
    embedded.restart_postgres(site.data_dir)
    insert(site, 3)  # nobody may listen again as yet
    until(lambda: states(site) == {"sent": 3}, "all are sent")
    assert len(sandbox.messages()) == 3


def test_killed_senders_lose_nothing_and_what_arrived_twice_is_marked(
    site: Site, lane: Start, sandbox: Sandbox, record_property: Report
) -> None:
    lane(TELEGRAM_RATE="100")
    sandbox.limits(enabled=False)
    # Arrived at once, answered late: whoever is killed meanwhile does not know of these.
    sandbox.fault(kind="latency", latency_ms=300)
    insert(site, 300)
    for arrived in (60, 160):
        arrive(sandbox, arrived)
        os.kill(sender(site), signal.SIGKILL)
    until(lambda: states(site) == {"sent": 300}, "all are sent")
    times = Counter(message["text"] for message in sandbox.messages())
    assert len(times) == 300
    doubled = {text for text, count in times.items() if count > 1}
    marked = {
        row[0] for row in site.rows("SELECT message FROM notification_queue WHERE maybe_doubled")
    }
    assert doubled, "nobody was killed between sending and writing: the test is blind"
    assert doubled <= marked
    assert max(times.values()) <= 3  # a kill may repeat a message once
    record_property("doubled_and_marked", (len(doubled), len(marked)))
    print(f"{len(doubled)} arrived twice, {len(marked)} are marked, of 300")


def test_a_critical_message_passes_a_flood(
    site: Site, lane: Start, sandbox: Sandbox, record_property: Report
) -> None:
    lane()
    insert(site, 600, priority=3)
    arrive(sandbox, 30)
    before = time.monotonic()
    psql(
        site,
        "INSERT INTO notification_queue (telegram_id, message, priority) VALUES (7, 'now!', 0)",
    )
    sandbox.wait_for(lambda: sandbox.messages(7), timeout_s=60)
    took_s = time.monotonic() - before
    assert states(site)["pending"] > 300
    assert sandbox.stats()["limited"] == 0
    record_property("critical_during_flood_s", round(took_s, 3))
    print(f"critical message in a flood, psql included: {took_s * 1000:.0f} ms")
    site.rows("DELETE FROM notification_queue WHERE status = 'pending' AND claimed_at IS NULL")
    until(lambda: set(states(site)) == {"sent"}, "what was on its way is written")


def test_messages_wait_out_an_outage_of_telegram(site: Site, lane: Start, sandbox: Sandbox) -> None:
    lane()
    sandbox.fault(kind="down", for_s=600)
    insert(site, 30)
    until(
        lambda: site.value("SELECT state FROM jobs_breaker WHERE name = 'telegram'") == "open",
        "the breaker opens",
    )
    until(lambda: on_their_way(site) == 0, "what was on its way is written")
    spent = site.value("SELECT sum(attempts) FROM notification_queue")
    sandbox.clear_faults()
    until(
        lambda: states(site).get("sent", 0) + len(_waiting_for_a_second_try(site)) == 30,
        "all that kept their tries are sent",
    )
    assert site.value("SELECT sum(attempts) FROM notification_queue") == spent
    assert len(sandbox.messages()) == states(site)["sent"]


def _waiting_for_a_second_try(site: Site) -> list[tuple[object, ...]]:
    return site.rows(
        """SELECT id FROM notification_queue
        WHERE status = 'pending' AND attempts > 0 AND next_attempt_at > now()"""
    )
