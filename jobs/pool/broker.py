"""The django-q2 broker: hands work tickets to idle workers, keeps async_task() of others as jobs.

Runs in the pusher process. It learns of new jobs by NOTIFY, of jobs that come due by their time, and
looks each second anyway. In between it keeps the house: see jobs/pool/chores.py.
"""

import logging
import os
import time
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django_q.brokers import Broker
from django_q.signing import SignedPackage

from jobs import sql
from jobs.lines import lines_wake
from jobs.pool import memory
from jobs.pool.calls import run_called, run_missed
from jobs.pool.chores import Chores
from jobs.pool.wake import Waker, make_waker
from lib import clock
from lib.ids import uuid7

logger = logging.getLogger("jobs.pool")

ROUND_S = 1.0  # dequeue returns after this, so that the pusher sees a stop
AGAIN_S = 0.005  # after handing a ticket: time for its worker to lease, before we look for more
SOON_S = 0.05  # until the next look, while all are busy or a line could not go on
GATHER_S = 0.005  # while all are busy: what is called within that is read at once
MUTE_S = 15.0  # without word to the cache, after it did not take one
PROBE_S = 5.0  # a ticket that only proves that the pool still takes tickets

Ticket = tuple[None, str]


class TicketBroker(Broker):  # type: ignore[misc]
    """One per process; the sentinel's is inherited by the pusher and the monitor."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key=list_key)
        self._waker: Waker | None = None
        self._chores: Chores | None = None
        self._ticket = ""
        self._look_at = 0.0
        self._handed_at = 0.0
        self._tell_at = 0.0

    def enqueue(self, task: str) -> str:
        """Keep a signed package of async_task() as a job, in the caller's transaction."""
        from jobs.third_party import task_enqueue  # noqa: PLC0415 - declares a job

        return str(task_enqueue(task))

    def dequeue(self) -> list[Ticket] | None:
        """Wait up to a second for due jobs and idle workers; as many tickets as both allow."""
        pool = memory.current
        if pool is None:
            raise RuntimeError("work tickets are handed out by `manage.py qcluster` only")
        if self._chores is None:
            self._chores = Chores(pool)
            self._ticket = SignedPackage.dumps(_ticket_task())
        pool.beat_pusher(os.getpid())
        try:
            if self._waker is None:
                self._waker = make_waker()
                self._look_at = 0.0
                run_missed()
            self._chores.run()
            return self._wait(pool, self._waker)
        except (DatabaseError, InterfaceError, psycopg.Error, OSError) as exc:
            logger.warning("pusher: waiting for the database: %s", type(exc).__name__)
            connection.close()
            if self._waker is not None:
                self._waker.close()
                self._waker = None
            time.sleep(0.5)  # nothing can be waited for while the database is away
            return self._probe(pool)

    def _wait(self, pool: memory.PoolMemory, waker: Waker) -> list[Ticket] | None:
        until = time.monotonic() + ROUND_S
        while (now := time.monotonic()) < until:
            if pool.order != memory.RUN:
                run_called(waker.wait(0.05) or set())  # their jobs wait for whoever works again
                return None
            if now >= self._look_at:
                due, next_due_s, stalled, pool.suspects = self._ready(limit=pool.size)
                self._look_at = now + min(next_due_s, ROUND_S)
                if stalled:
                    lines_wake()
                    self._look_at = now + SOON_S
                if due:
                    pool.wake()
                    if (tickets := self._hand(pool, due)) is not None:
                        return tickets
                    # All are busy: they ask again before they end their tickets.
                    self._look_at = now + SOON_S
            if (tickets := self._probe(pool)) is not None:
                return tickets
            called = waker.wait(max(0.0, min(self._look_at, until) - now))
            if called is not None:
                run_called(called)
                pool.wake()
                tickets = self._hand(pool, 1)
                pool.count_call(is_skipped=tickets is None)
                if tickets is not None:
                    return tickets
                # All are busy and know of it: however many call, we look no sooner than in a while.
                self._look_at = min(self._look_at, time.monotonic() + SOON_S)
                time.sleep(GATHER_S)
        return None

    def _probe(self, pool: memory.PoolMemory) -> list[Ticket] | None:
        """Now and then a ticket without a reason, also while the database is away."""
        patience_s = min(PROBE_S, settings.JOBS["watchdog"].total_seconds() / 3)
        if time.monotonic() - self._handed_at > patience_s and pool.order == memory.RUN:
            return self._hand(pool, 1)
        return None

    def _hand(self, pool: memory.PoolMemory, due: int) -> list[Ticket] | None:
        now = time.monotonic()
        if now - self._handed_at > 1.0:
            pool.forget_outstanding()
        count = min(due, pool.idle() - pool.outstanding)
        if count <= 0:
            return None
        self._handed_at = now
        self._look_at = now + AGAIN_S
        pool.hand(count)
        return [(None, self._ticket)] * count

    def _ready(self, limit: int) -> tuple[int, float, bool, int]:
        """How many jobs are due (counted up to a limit), in how many seconds the next one is, whether
        lines wait for somebody who lets them go on, and how many due jobs wait for a quarantine.
        """
        found = sql.row(
            "SELECT due, next_due_s, stalled, suspects FROM jobs_ready(%s, %s, %s)",
            [settings.JOBS["queues"], limit, clock.offset()],
        )
        due, next_due_s, stalled, suspects = found or (0, None, False, 0)
        next_s = ROUND_S if next_due_s is None else max(0.001, float(next_due_s))
        return int(due), next_s, stalled, int(suspects)

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Called by the sentinel now and then: tells the watchdog, then the cache for qmonitor."""
        if memory.current is not None:
            memory.current.beat_guard()
        # A cache that is away, or worse, hangs, must not hold up who looks after the workers.
        if time.monotonic() >= self._tell_at and not super().set_stat(key, value, timeout):
            self._tell_at = time.monotonic() + MUTE_S

    def acknowledge(self, task_id: object) -> None:
        """Nothing to do: tickets are not kept."""

    def fail(self, task_id: object) -> None:
        """Nothing to do: a ticket that cannot be read is lost without harm."""

    def queue_size(self) -> int:
        """Due jobs, counted up to 1,000."""
        return self._ready(limit=1000)[0]

    def ping(self) -> bool:
        """Raises if the database cannot be reached, so that the cluster does not start."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.close()
        return True

    def info(self) -> str:
        """Shown by qinfo."""
        return "Switchboard jobs on PostgreSQL"


def _ticket_task() -> dict[str, Any]:
    return {
        "id": uuid7().hex,
        "name": "ticket",
        "func": "jobs.engine.ticket.work",
        "args": (),
        "kwargs": {},
        "save": False,
        "started": clock.now(),
    }
