"""What the processes of one cluster tell each other: a block of shared memory, no locks.

Each field has one writer. Times are time.monotonic(), which all processes of a machine share. It
survives the death of any of them, so the one that looks after a dead worker can read what it was at.
"""

import ctypes
import os
import time
from collections.abc import Iterator
from multiprocessing.sharedctypes import RawArray, RawValue
from uuid import UUID

RUN, QUIET, GIVE_BACK = 0, 1, 2  # what the parent asks of the workers
LANES = 257  # the main lane and as many threads as WORKER_THREADS allows
_NOWHERE = bytes(16)
GLANCE_S = 0.1


class Slot(ctypes.Structure):
    """One worker process. Written by it, except pid, is_retiring and is_dead.

    is_retiring: set by the sentinel; the worker ends after its next ticket. is_dead: set by the
    sentinel; the pusher clears it when all that the worker held is taken back.
    """

    _fields_ = (
        ("pid", ctypes.c_int64),
        ("beat", ctypes.c_double),
        ("ticket_at", ctypes.c_double),  # when its latest ticket began, or ended
        ("busy", ctypes.c_int32),
        ("is_retiring", ctypes.c_int32),
        ("is_dead", ctypes.c_int32),
        ("tickets", ctypes.c_int64),  # taken so far
        ("name", ctypes.c_char * 120),  # its worker id
        ("blamed", ctypes.c_int32),  # 1 + the lane for which it is ended; 0: none
        ("at", (ctypes.c_ubyte * 16) * LANES),  # the job that each of its lanes is at; zeros: none
    )

    def worker_id(self) -> str:
        """The id under which it leases, or "" before it started."""
        return bytes(self.name).rstrip(b"\0").decode()

    def enter(self, lane: int, job_id: UUID) -> None:
        """A lane begins a job. It counts as being at it until it begins another or leaves."""
        self.at[lane][:] = job_id.bytes

    def leave(self, lane: int) -> None:
        """A lane has written how its jobs ended."""
        self.at[lane][:] = _NOWHERE

    def blame(self, lane: int) -> None:
        """The worker is about to be ended for what one lane is at; the others are innocent.

        Said of the lane, not by clearing the others: those go on meanwhile and enter new jobs.
        """
        self.blamed = lane + 1

    def is_at_job(self) -> bool:
        """Is its main lane at one?"""
        return any(self.at[0])

    def culprits(self) -> list[UUID]:
        """The jobs it is at: one of them is to blame if it dies. None: it died between jobs."""
        suspects = [self.at[self.blamed - 1]] if self.blamed else self.at
        return [UUID(bytes=bytes(at)) for at in suspects if any(at)]


class Flag:
    """The part of multiprocessing.Event that django-q2 uses, without its lock.

    Whoever is killed or frozen while it holds that lock, or sleeps on it, holds up all others.
    """

    def __init__(self) -> None:
        self._value = RawValue(ctypes.c_int32, 0)

    def set(self) -> None:
        """Raise it; nobody lowers it again."""
        self._value.value = 1

    def is_set(self) -> bool:
        """Is it raised?"""
        return bool(self._value.value)

    def wait(self, timeout: float) -> bool:
        """Wait until it is raised, at most so many seconds. Is it?"""
        until = time.monotonic() + timeout
        while not self.is_set() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, GLANCE_S))
        return self.is_set()


class PoolMemory:
    """The shared block of one cluster. Made by the parent before it forks anything."""

    def __init__(self, size: int, most: int = 0) -> None:
        """size workers at the start, never more than most (0: than size)."""
        most = max(size, most)
        self.size = size
        # Twice: a recycled worker's heir may start before it is gone. And those in quarantine.
        self._slots = RawArray(Slot, most * 2 + size)
        self._order = RawValue(ctypes.c_int32, RUN)
        self._guard_beat = RawValue(ctypes.c_double, time.monotonic())
        self._pusher_beat = RawValue(ctypes.c_double, time.monotonic())
        self._pusher_pid = RawValue(ctypes.c_int64, 0)
        self._handed = RawValue(ctypes.c_int64, 0)
        self._wanted = RawValue(ctypes.c_int32, 0)
        self._restarts = RawValue(ctypes.c_int64, 0)
        self._wakes = RawValue(ctypes.c_int64, 0)
        self._suspects = RawValue(ctypes.c_int32, 0)
        self._calls = RawValue(ctypes.c_int64, 0)
        self._calls_skipped = RawValue(ctypes.c_int64, 0)

    def slots(self) -> Iterator[tuple[int, Slot]]:
        """All slots with their index; those with pid 0 are free."""
        yield from enumerate(self._slots)

    def slot(self, index: int) -> Slot:
        """One slot."""
        slot: Slot = self._slots[index]
        return slot

    def free_index(self) -> int:
        """A slot that nobody uses and whose former user is taken care of."""
        free = [index for index, slot in enumerate(self._slots) if slot.pid == 0]
        for index in free:
            if not self._slots[index].is_dead:
                return index
        if not free:
            raise RuntimeError("no free worker slot")
        # The database is away and nobody is taken care of: what that one held comes back by its lease.
        self.clear(free[0])
        return free[0]

    @property
    def order(self) -> int:
        """RUN, QUIET or GIVE_BACK."""
        return int(self._order.value)

    @order.setter
    def order(self, value: int) -> None:
        self._order.value = value

    @property
    def guard_beat(self) -> float:
        """When the sentinel last went round."""
        return float(self._guard_beat.value)

    def beat_guard(self) -> None:
        """The sentinel goes round."""
        self._guard_beat.value = time.monotonic()

    @property
    def pusher_beat(self) -> float:
        """When the pusher last went round."""
        return float(self._pusher_beat.value)

    @property
    def pusher_pid(self) -> int:
        """Who the pusher is."""
        return int(self._pusher_pid.value)

    def beat_pusher(self, pid: int) -> None:
        """The pusher goes round."""
        self._pusher_beat.value = time.monotonic()
        self._pusher_pid.value = pid

    def hand(self, count: int) -> None:
        """The pusher hands out tickets."""
        self._handed.value += count

    @property
    def wanted(self) -> int:
        """How many workers the backlog wants; 0: nobody has asked, the configured size holds."""
        return int(self._wanted.value)

    @wanted.setter
    def wanted(self, value: int) -> None:
        self._wanted.value = value

    @property
    def restarts(self) -> int:
        """How often the whole pool was started anew."""
        return int(self._restarts.value)

    def count_restart(self) -> None:
        """The watchdog starts the pool anew."""
        self._restarts.value += 1

    @property
    def wakes(self) -> int:
        """Grows whenever the pusher learns of due jobs; workers that wait for threads look at it."""
        return int(self._wakes.value)

    def wake(self) -> None:
        """The pusher learnt of due jobs."""
        self._wakes.value += 1

    def count_call(self, *, is_skipped: bool) -> None:
        """The pusher was called; skipped: nobody was idle, so no ticket was handed out for it."""
        self._calls.value += 1
        self._calls_skipped.value += is_skipped

    @property
    def calls(self) -> tuple[int, int]:
        """How often the pusher was called, and how many of these calls handed out no ticket."""
        return int(self._calls.value), int(self._calls_skipped.value)

    @property
    def suspects(self) -> int:
        """Due jobs whose worker once died, as the pusher last saw them; counted up to the size."""
        return int(self._suspects.value)

    @suspects.setter
    def suspects(self, value: int) -> None:
        self._suspects.value = value

    @property
    def outstanding(self) -> int:
        """Tickets handed out and not taken yet. Wrong by those that were dropped; see reset."""
        taken = sum(slot.tickets for slot in self._slots)
        return max(0, int(self._handed.value) - int(taken))

    def forget_outstanding(self) -> None:
        """Count all tickets as taken: some are lost with a killed worker."""
        self._handed.value = sum(slot.tickets for slot in self._slots)

    def idle(self) -> int:
        """Live workers without a ticket."""
        return sum(1 for slot in self._slots if slot.pid and slot.beat and not slot.busy)

    def clear(self, index: int) -> None:
        """Make a slot free, keeping its count of tickets (a sum over all slots is compared)."""
        slot = self._slots[index]
        slot.pid, slot.beat, slot.busy, slot.is_dead, slot.is_retiring = 0, 0.0, 0, 0, 0
        slot.name, slot.blamed = b"", 0
        ctypes.memset(slot.at, 0, ctypes.sizeof(slot.at))


current: PoolMemory | None = None  # of the cluster that this process belongs to
own: Slot | None = None  # of this process, if it is a worker


def set_current(memory: PoolMemory | None) -> None:
    """Called by the parent before it forks, so that all children see it."""
    global current  # noqa: PLW0603 - a process belongs to one cluster
    current = memory


def set_own(index: int) -> None:
    """Called by a worker first of all."""
    global own  # noqa: PLW0603 - a process has one slot
    assert current is not None
    own = current.slot(index)
    own.pid, own.beat = os.getpid(), time.monotonic()
