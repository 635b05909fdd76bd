"""The health of a pool: works, starts and stops are well; a stuck watchdog and idle workers are not."""

import json
import socket
import time
import urllib.error
import urllib.request

import pytest

from jobs.engine import ticket
from jobs.pool import memory
from jobs.pool.exposition import serve_metrics
from jobs.pool.health import pool_ails
from jobs.pool.memory import QUIET, PoolMemory

pytestmark = pytest.mark.unit

PATIENCE_S = 15.0
BORN = 1_000.0
LATER = BORN + 600.0


def pool_make(*, ticket_at: float = 0.0, beat: float = 0.0, busy: int = 0) -> PoolMemory:
    """One worker, and a slot that nobody uses."""
    pool = PoolMemory(1)
    slot = pool.slot(0)
    slot.pid, slot.ticket_at, slot.beat, slot.busy = 4711, ticket_at, beat, busy
    return pool


def ailment(pool: PoolMemory, *, now: float = LATER, round_at: float | None = None) -> str | None:
    seen_at = now if round_at is None else round_at
    return pool_ails(pool, now=now, started_at=BORN, round_at=seen_at, patience_s=PATIENCE_S)


def test_a_pool_that_takes_tickets_is_well() -> None:
    assert ailment(pool_make(ticket_at=LATER - 5)) is None


def test_a_pool_whose_workers_are_all_at_long_jobs_is_well() -> None:
    assert ailment(pool_make(ticket_at=LATER - 500, beat=LATER - 1, busy=1)) is None


def test_workers_that_take_no_tickets_are_ill_however_they_beat() -> None:
    pool = pool_make(ticket_at=LATER - 500, beat=LATER - 1)
    assert ailment(pool) == "its workers take no tickets"


def test_a_long_ticket_that_has_just_ended_is_a_sign_of_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = PoolMemory(1)
    slot = pool.slot(0)

    class Long:
        def work(self) -> None:
            assert slot.busy
            slot.ticket_at -= 500  # so long ago it began

    monkeypatch.setattr(memory, "own", slot)
    monkeypatch.setattr(ticket, "_process", Long())
    ticket.work()
    assert time.monotonic() - slot.ticket_at < 250
    assert not slot.busy


def test_a_busy_worker_that_is_silent_is_ill() -> None:
    pool = pool_make(ticket_at=LATER - 500, beat=LATER - 400, busy=1)
    assert ailment(pool) == "its workers take no tickets"


def test_a_pool_without_workers_is_ill() -> None:
    assert ailment(PoolMemory(1)) == "its workers take no tickets"


def test_a_pool_that_starts_is_given_time() -> None:
    assert ailment(PoolMemory(1), now=BORN + 50) is None


def test_a_watchdog_that_stands_still_is_ill() -> None:
    pool = pool_make(ticket_at=LATER - 1)
    assert ailment(pool, round_at=LATER - 50) == "its watchdog does not go round"
    assert ailment(pool, round_at=LATER - 20) is None


def test_a_pool_that_stops_is_left_in_peace() -> None:
    pool = pool_make(ticket_at=LATER - 500)
    pool.order = QUIET
    assert ailment(pool) is None


def test_the_port_answers_probes_and_scrapes() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pool, said = pool_make(), [None, "its workers take no tickets"]
    serve_metrics(port, pool, lambda: said.pop(0))
    url = f"http://127.0.0.1:{port}"
    with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
        assert json.load(answer) == {"status": "ok", "workers": 1}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/health", timeout=10)
    with refused.value as answer:
        assert refused.value.code == 503
        assert json.load(answer)["status"] == "its workers take no tickets"
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        told = answer.read().decode()
    assert 'pool_workers{state="idle"} 1.0' in told
    assert "wakeups_skipped_total 0.0" in told
