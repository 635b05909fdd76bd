"""Broadcasts with real clusters: workers die while they send, operators cancel, schedulers compete."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import pytest

from lib.ids import uuid7
from tests.processes.cluster import Cluster
from tests.processes.site import PROJECT, Site
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.process

TOKEN = "7000000001:AAE-sEcReT_part"
PEOPLE = int(os.environ.get("BROADCAST_PEOPLE", "20000"))  # the chaos of a long evening: 50000
CHATS = int(os.environ.get("BROADCAST_CHATS", "1200"))
KILLS = 20

Start = Callable[..., Cluster]


@pytest.fixture(autouse=True)
def own_people(site: Site) -> Iterator[None]:
    """Nobody of an earlier test is there, and nobody stays for the next one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows(
        """TRUNCATE notification_broadcasts, broadcast_ledger, broadcast_tally, inbox_notification,
        inbox_recipient, inbox_outbox, telegram_chat, jobs_ratebucket CASCADE"""
    )
    site.rows("DELETE FROM jobs_breakerevent; DELETE FROM jobs_breaker")
    site.rows("DELETE FROM jobs_job WHERE kind LIKE 'broadcasts.%'")


def people_make(site: Site, count: int, *, chats: int = 0) -> None:
    """So many people; the first `chats` of them have Telegram."""
    site.rows(
        """INSERT INTO inbox_recipient (user_id, login, telegram_id)
        SELECT n, 'u' || n, CASE WHEN n <= %s THEN 1000 + n END FROM generate_series(1, %s) n""",
        [chats, count],
    )
    site.rows("ANALYZE inbox_recipient")


def broadcast_make(
    site: Site, *channels: str, after_s: float = 0, broadcast_id: UUID | None = None
) -> UUID:
    """A broadcast to everybody that is due soon, by plain SQL. It may begin before this returns."""
    broadcast_id = broadcast_id or uuid7()
    site.rows(
        """INSERT INTO notification_broadcasts (id, title, body, audience, channels, status, scheduled_at)
        VALUES (%s, 'Feature launch', 'We are live!', '{"type": "all_users"}', %s, 'scheduled',
            clock_timestamp() + make_interval(secs => %s))""",
        [broadcast_id, list(channels) or ["inbox"], after_s],
    )
    return broadcast_id


def sweep(site: Site) -> None:
    """What a pool does each five seconds by itself; the tests do not wait for it."""
    site.rows("SELECT pg_notify('jobs_wake', 'broadcasts.start_due')")


def status(site: Site, broadcast_id: UUID) -> str:
    return str(
        site.value("SELECT status FROM notification_broadcasts WHERE id = %s", [broadcast_id])
    )


def ended(site: Site, broadcast_id: UUID) -> bool:
    """Whether it is over and everybody has a fate; sweeps if not."""
    found = site.value(
        """SELECT status IN ('sent', 'failed', 'cancelled') AND total = sent + failed + skipped + unknown
        FROM notification_broadcasts WHERE id = %s""",
        [broadcast_id],
    )
    if not found:
        sweep(site)
    return bool(found)


def fates(site: Site, broadcast_id: UUID) -> dict[tuple[str, str], int]:
    found = site.rows(
        "SELECT channel, fate, count(*) FROM broadcast_ledger WHERE broadcast_id = %s GROUP BY 1, 2",
        [broadcast_id],
    )
    return {(channel, fate): count for channel, fate, count in found}


def adds_up(site: Site, broadcast_id: UUID) -> dict[str, int]:
    """The numbers of the broadcast, after a look that they are those of its ledger."""
    names = ("total", "sent", "failed", "skipped", "unknown")
    row = site.rows(
        f"SELECT {', '.join(names)} FROM notification_broadcasts WHERE id = %s", [broadcast_id]
    )[0]
    numbers: dict[str, int] = dict(zip(names, row, strict=True))
    ledger: Counter[str] = Counter()
    for (_, fate), count in fates(site, broadcast_id).items():
        ledger[fate] += count
    assert numbers["total"] == sum(ledger.values())
    assert {name: numbers[name] for name in names[1:]} == {name: ledger[name] for name in names[1:]}
    assert (
        numbers["sent"] + numbers["failed"] + numbers["skipped"] + numbers["unknown"]
        == numbers["total"]
    )
    return numbers


def nobody_twice(site: Site) -> None:
    query = "SELECT recipient_id FROM inbox_notification GROUP BY 1 HAVING count(*) > 1 LIMIT 1"
    assert site.rows(query) == []


@contextmanager
def braked(site: Site, table: str, pause_s: float) -> Iterator[None]:
    """Batches are written there one after the other, with a pause: nobody is through before we act."""
    site.rows(
        f"""CREATE FUNCTION tests_brake() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            PERFORM pg_advisory_xact_lock(4711);
            PERFORM pg_sleep({pause_s});
            RETURN NULL;
        END $$"""
    )
    site.rows(f"CREATE TRIGGER tests_brake AFTER INSERT ON {table} EXECUTE FUNCTION tests_brake()")
    try:
        yield
    finally:
        site.rows("DROP FUNCTION tests_brake CASCADE")


def act(
    site: Site, name: str, broadcast_id: UUID, phase: str, least: int
) -> "subprocess.Popen[str]":
    """An operator who waits for it already, and acts as soon as it has come so far."""
    words = [name, str(broadcast_id), phase, str(least)]
    operator = subprocess.Popen(
        [sys.executable, "-m", "tests.processes.broadcast_acts", *words],
        cwd=PROJECT, env={**site.environment, "LOG_LEVEL": "CRITICAL"}, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert operator.stdout is not None
    assert operator.stdout.readline() == "ready\n"
    return operator


def said(process: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def kill_one(site: Site, cluster: Cluster) -> bool:
    """Kill a worker, rather one that is at a broadcast just now."""
    query = "SELECT worker FROM jobs_job WHERE kind LIKE 'broadcasts.%' AND state = 'running'"
    busy = [int(worker.split(":")[1]) for (worker,) in site.rows(query)]
    pids = busy or cluster.roles().get("worker", [])
    if not pids:
        return False
    with suppress(ProcessLookupError):
        os.kill(pids[0], signal.SIGKILL)
        return True
    return False


def test_workers_killed_twenty_times_lose_nobody_and_tell_nobody_twice(
    site: Site, start: Start, sandbox: Sandbox
) -> None:
    cluster = start(
        "kills", workers=2, TELEGRAM_API_URL=sandbox.telegram_url, TELEGRAM_BOT_TOKEN=TOKEN,
        TELEGRAM_RATE="200",
    )  # fmt: skip
    sandbox.limits(enabled=False)
    people_make(site, PEOPLE, chats=CHATS)
    broadcast_id = broadcast_make(site, "inbox", "telegram")
    sweep(site)
    kills, done_at_kill = 0, -1
    while kills < KILLS:
        # One strike per step forward, so that none hits what lies already.
        def moved() -> bool:
            sweep(site)
            done = site.value(
                "SELECT total + sent + unknown FROM notification_broadcasts WHERE id = %s",
                [broadcast_id],
            )
            return bool(done > done_at_kill)  # noqa: B023 - asked before it changes

        if ended(site, broadcast_id):
            break
        until(lambda: moved() or ended(site, broadcast_id), "it goes on after a kill")
        done_at_kill = site.value(
            "SELECT total + sent + unknown FROM notification_broadcasts WHERE id = %s",
            [broadcast_id],
        )
        kills += kill_one(site, cluster)
    until(lambda: ended(site, broadcast_id), "everybody has a fate", within_s=180)

    numbers = adds_up(site, broadcast_id)
    found = fates(site, broadcast_id)
    assert numbers["total"] == 2 * PEOPLE
    assert found["inbox", "sent"] == PEOPLE
    assert site.value("SELECT count(*) FROM inbox_notification") == PEOPLE
    nobody_twice(site)
    arrived = Counter(message["chat_id"] for message in sandbox.messages())
    assert max(arrived.values()) == 1
    assert found["telegram", "skipped"] == PEOPLE - CHATS
    assert found["telegram", "sent"] + found.get(("telegram", "unknown"), 0) == CHATS
    told = site.rows(
        "SELECT telegram_id FROM broadcast_ledger WHERE channel = 'telegram' AND fate = 'sent'"
    )
    assert {chat for (chat,) in told} <= set(arrived)
    assert kills == KILLS, f"it was over after {kills} kills: {numbers}"
    print(f"{kills} kills, unknown {numbers['unknown']} of {CHATS} chats")


def test_nobody_is_told_after_a_cancel_during_the_expansion_was_acknowledged(
    site: Site, start: Start
) -> None:
    start("cancel")
    people_make(site, 40_000)
    broadcast_id = uuid7()
    operator = act(site, "cancel", broadcast_id, "expanding", 10_000)
    with braked(site, "broadcast_ledger", 0.5):
        broadcast_make(site, broadcast_id=broadcast_id)
        sweep(site)
        at_once = said(operator)
    until(lambda: ended(site, broadcast_id), "the rest is skipped")
    numbers = adds_up(site, broadcast_id)
    assert at_once["status"] == "cancelled"
    assert site.value("SELECT count(*) FROM inbox_notification") == at_once["notifications"]
    assert numbers["sent"] == at_once["sent"]


def test_nobody_is_told_after_a_cancel_during_the_sending_was_acknowledged(
    site: Site, start: Start, sandbox: Sandbox
) -> None:
    start("cancel", TELEGRAM_API_URL=sandbox.telegram_url, TELEGRAM_BOT_TOKEN=TOKEN)
    sandbox.limits(enabled=False)
    sandbox.fault(kind="latency", latency_ms=200)
    people_make(site, 20_000, chats=20_000)
    broadcast_id = uuid7()
    operator = act(site, "cancel", broadcast_id, "delivering", 2_000)
    broadcast_make(site, "inbox", "telegram", broadcast_id=broadcast_id)
    sweep(site)
    at_once = said(operator)
    received = sandbox.stats()["received"]
    until(lambda: ended(site, broadcast_id), "the rest is skipped")
    numbers = adds_up(site, broadcast_id)
    assert at_once["sending"] == 0
    assert (numbers["sent"], numbers["unknown"]) == (at_once["sent"], 0)
    assert site.value("SELECT count(*) FROM inbox_notification") == at_once["notifications"]
    assert sandbox.stats()["received"] == received == fates(site, broadcast_id)["telegram", "sent"]
    nobody_twice(site)


def test_a_pause_stops_it_and_a_resume_brings_it_to_the_rest_once(site: Site, start: Start) -> None:
    start("pause")
    people_make(site, 20_000)
    broadcast_id = uuid7()
    operator = act(site, "pause", broadcast_id, "delivering", 2_000)
    with braked(site, "inbox_notification", 0.2):
        broadcast_make(site, broadcast_id=broadcast_id)
        sweep(site)
        at_once = said(operator)
    assert at_once["status"] == "paused"
    assert 2_000 <= at_once["sent"] == at_once["notifications"] < 20_000
    sweep(site)
    said(act(site, "resume", broadcast_id, "delivering", 0))
    until(lambda: ended(site, broadcast_id), "everybody has a fate")
    assert adds_up(site, broadcast_id)["sent"] == 20_000
    nobody_twice(site)


def test_two_schedulers_and_the_named_worker_make_one_run(site: Site, start: Start) -> None:
    clusters = [start(name, workers=1) for name in ("left", "right")]
    people_make(site, 5_000)
    log = site.scratch / "named.log"
    environment = {
        **site.environment, "POD_ID": "named", "NOTIFICATIONS_BROADCAST_INTERVAL": "0.2",
        "NOTIFICATIONS_BROADCAST_JITTER": "0.1", "NOTIFICATIONS_BROADCAST_BATCH_LIMIT": "5",
        "NOTIFICATIONS_BROADCAST_IMMEDIATE": "1", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    with log.open("wb") as output:
        named = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker", "notifications.broadcast"],
            cwd=PROJECT, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        until(lambda: "a tick each 0.2 s" in log.read_text(), "the named worker ticks")
        broadcast_id = broadcast_make(site, after_s=1)
        until(lambda: ended(site, broadcast_id), "everybody has a fate")
    finally:
        named.send_signal(signal.SIGTERM)
        named.wait(60)
    assert named.returncode == 0, log.read_text()
    assert status(site, broadcast_id) == "sent"
    assert adds_up(site, broadcast_id)["sent"] == 5_000
    assert site.value("SELECT count(*) FROM inbox_notification") == 5_000
    nobody_twice(site)
    words = f"broadcast {broadcast_id} completed status=sent"
    logs = [log, *(each.log for each in clusters)]
    until(lambda: any(words in each.read_text() for each in logs), "somebody logs that it is over")
    assert sum(each.read_text().count(words) for each in logs) == 1


def test_the_named_worker_alone_brings_it_to_everybody_and_logs_it(site: Site) -> None:
    people_make(site, 2_500)
    broadcast_id = broadcast_make(site)
    said = site.manage(
        "run_worker", "notifications.broadcast", "--ticks", "1",
        NOTIFICATIONS_BROADCAST_INTERVAL="15", NOTIFICATIONS_BROADCAST_IMMEDIATE="1",
    )  # fmt: skip
    assert "a tick each 15 s" in said
    assert f"broadcast {broadcast_id} completed status=sent total=2500 sent=2500 failed=0" in said
    assert adds_up(site, broadcast_id)["sent"] == 2_500
