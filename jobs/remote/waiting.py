"""Waiting for due jobs: any number of callers wait, one thread per process listens for all of them.

A caller that waits holds no database connection and uses no CPU. The listening thread lives while
somebody waits. It is woken by NOTIFY (or what JOB_WAKE names), by the time of the next job, or once
a second; then it asks once for all callers what is due, and wakes as many as there are jobs, in the
order in which they came. What it says is a hint: the caller leases, and waits again if others were
quicker.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

import psycopg
from django.db import DatabaseError, InterfaceError, connection

from jobs import sql
from jobs.pool.wake import Waker, make_waker
from jobs.remote.leases import remote_upkeep
from lib import clock
from lib.errors import Unavailable

logger = logging.getLogger("jobs.remote")

MOST_WAITING = 1000  # callers per process
ROUND_S = 1.0  # ask anyway after this: a hint may be lost
GLANCE_S = 0.25  # how soon somebody new with other queues is asked for
GAP_S = 0.02  # at least, between two looks
SHARE = 0.1  # of the time may be spent looking, however slow a look is
LINGER_S = 5.0  # the thread ends when nobody waited for so long

Interest = tuple[tuple[str, ...], tuple[str, ...] | None]  # queues, kinds (None: any)


class Draining(Unavailable):
    """This process is shutting down; ask again, another one will answer."""

    code = "draining"


class WaitersFull(Unavailable):
    """Too many callers wait at this process already."""

    code = "too_many_waiting"


class Waiter:
    """A place in the queue of callers. Made before the first look, so that no job slips between."""

    def __init__(self, room: "WaitingRoom", interest: Interest) -> None:
        self.interest = interest
        self._room = room
        self._lock = threading.Lock()
        self._is_called = False
        self._call: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    async def called(self, timeout_s: float) -> bool:
        """Wait to be called. False: nobody called in time. Raises Draining."""
        event = asyncio.Event()
        with self._lock:
            if self._is_called:
                event.set()
            self._call = (asyncio.get_running_loop(), event)
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                await event.wait()
            was_called = True
        except TimeoutError:
            was_called = False
        finally:
            with self._lock:
                self._is_called, self._call = False, None
        if self._room.is_draining:
            raise Draining(retry_after=timedelta(seconds=1))
        return was_called

    @property
    def is_asleep(self) -> bool:
        """Does its caller wait at this moment?"""
        return self._call is not None

    def call(self) -> None:
        """Wake the caller, from any thread. Repeat: one call."""
        with self._lock:
            self._is_called = True
            if self._call is not None:
                loop, event = self._call
                loop.call_soon_threadsafe(event.set)


class WaitingRoom:
    """All callers of this process that wait. `close` is for tests and for the end of a process."""

    def __init__(self) -> None:
        self.is_draining = False
        self._lock = threading.Lock()
        self._waiting: dict[Waiter, None] = {}  # in the order in which they came
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._has_news = False

    def enter(self, queues: Iterable[str], kinds: Iterable[str] | None = None) -> Waiter:
        """Take a place. The caller must leave. Raises Draining, WaitersFull."""
        if self.is_draining:
            raise Draining(retry_after=timedelta(seconds=1))
        interest = (
            tuple(sorted(set(queues))),
            None if kinds is None else tuple(sorted(set(kinds))),
        )
        waiter = Waiter(self, interest)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise WaitersFull(retry_after=timedelta(seconds=1))
            self._waiting[waiter] = None
            self._has_news = True
            if self._thread is None:
                self._closing = threading.Event()
                self._thread = threading.Thread(
                    target=_Listener(self, self._closing).run, name="waiting-room", daemon=True
                )
                self._thread.start()
        return waiter

    def again(self, waiter: Waiter) -> None:
        """Somebody else was quicker: back into the queue, at its end. Before the next lease."""
        with self._lock:
            self._waiting.pop(waiter, None)
            self._waiting[waiter] = None

    def leave(self, waiter: Waiter) -> None:
        """Give the place up. Repeat-safe."""
        with self._lock:
            self._waiting.pop(waiter, None)

    def drain(self) -> None:
        """Send everybody away with 503, and whoever comes later: the process ends. Signal-safe."""
        self.is_draining = True
        for waiter in list(self._waiting):
            waiter.call()

    def close(self) -> None:
        """End the listening thread and its connections."""
        with self._lock:
            thread = self._thread
            self._closing.set()
        if thread is not None:
            thread.join()

    def interests(self) -> dict[Interest, list[Waiter]]:
        """Who waits for what, in their order."""
        found: dict[Interest, list[Waiter]] = {}
        with self._lock:
            self._has_news = False
            for waiter in self._waiting:
                found.setdefault(waiter.interest, []).append(waiter)
        return found

    @property
    def asleep(self) -> int:
        """How many callers wait at this moment."""
        with self._lock:
            return sum(1 for waiter in self._waiting if waiter.is_asleep)

    @property
    def has_news(self) -> bool:
        """Has somebody come since the last look?"""
        return self._has_news

    def listener_may_end(self) -> bool:
        """Called by the listener: ends it, unless somebody waits."""
        with self._lock:
            if self._waiting and not self._closing.is_set():
                return False
            self._thread = None
            return True


class _Listener:
    """The thread of a waiting room."""

    def __init__(self, room: WaitingRoom, closing: threading.Event) -> None:
        self._room = room
        self._closing = closing
        self._waker: Waker | None = None
        self._look_at = 0.0
        self._needed_at = time.monotonic()

    def run(self) -> None:
        while True:
            try:
                self._round()
            except (DatabaseError, InterfaceError, psycopg.Error, OSError) as exc:
                logger.warning("waiting room: the database is away: %s", type(exc).__name__)
                self._disconnect()
                self._closing.wait(0.5)
            idle = time.monotonic() - self._needed_at > LINGER_S
            if (idle or self._closing.is_set()) and self._room.listener_may_end():
                self._disconnect()
                return

    def _round(self) -> None:
        if self._waker is None:
            self._waker = make_waker()
            self._look_at = 0.0
        now = time.monotonic()
        if now >= self._look_at:
            self._look()
            now = time.monotonic()
        called = self._waker.wait(max(0.0, min(self._look_at - now, GLANCE_S)))
        if called is not None or self._room.has_news:
            self._look_at = min(self._look_at, self._earliest)

    def _look(self) -> None:
        """Ask what is due for everybody who waits, and call as many as there are jobs."""
        began = time.monotonic()
        interests = self._room.interests()
        next_due_s = ROUND_S
        if interests:
            self._needed_at = began
            remote_upkeep()
            for (queues, kinds), waiters in interests.items():
                due, later_s = due_for(queues, kinds, most=len(waiters))
                next_due_s = min(next_due_s, later_s)
                for waiter in waiters[:due]:
                    waiter.call()
        ended = time.monotonic()
        self._earliest = ended + max(GAP_S, (ended - began) / SHARE)
        self._look_at = max(self._earliest, ended + next_due_s)

    def _disconnect(self) -> None:
        connection.close()
        if self._waker is not None:
            self._waker.close()
            self._waker = None


def due_for(queues: Sequence[str], kinds: Sequence[str] | None, *, most: int) -> tuple[int, float]:
    """How many jobs of these queues may be leased now, counted up to `most`, and in how many seconds
    the next one may (at most ROUND_S)."""
    row = sql.row(
        """WITH open AS (
            SELECT q.name, p FROM jobs_queue q CROSS JOIN generate_series(0, 3) p
            WHERE q.name = ANY(%(queues)s) AND q.paused_at IS NULL
        ), now AS (SELECT clock_timestamp() + %(shift)s AS at)
        SELECT coalesce(sum(d.count), 0), extract(epoch FROM min(d.next_at) - max(n.at))
        FROM now n, open o CROSS JOIN LATERAL (
            SELECT (
                SELECT count(*) FROM (
                    SELECT FROM jobs_job j WHERE j.queue = o.name AND j.priority = o.p
                        AND NOT j.blocked AND j.state IN ('scheduled', 'available')
                        AND j.run_at <= n.at AND (%(kinds)s::text[] IS NULL OR j.kind = ANY(%(kinds)s))
                    LIMIT %(most)s
                ) c
            ), (
                SELECT j.run_at FROM jobs_job j WHERE j.queue = o.name AND j.priority = o.p
                    AND NOT j.blocked AND j.state IN ('scheduled', 'available') AND j.run_at > n.at
                ORDER BY j.run_at LIMIT 1
            ) AS next_at
        ) d""",
        {
            "queues": list(queues),
            "kinds": None if kinds is None else list(kinds),
            "most": most,
            "shift": clock.offset(),
        },
    )
    if row is None:
        return 0, ROUND_S
    later_s = ROUND_S if row[1] is None else max(0.001, min(ROUND_S, float(row[1])))
    return min(most, int(row[0])), later_s


room = WaitingRoom()
