"""django-q2's cluster with what it lacks: queues that cannot freeze, children that die with their
parent, workers whose death is noticed with what they were at.

Built on django-q2 1.11.1: Cluster.start, Sentinel.__init__, spawn_process, reincarnate.
"""

import ctypes
import logging
import os
import signal
import time
from collections.abc import Callable
from multiprocessing import current_process
from typing import Any

from django import db
from django.utils import timezone
from django_q import cluster as stock
from django_q.brokers import get_broker
from django_q.cluster import Cluster, Sentinel
from django_q.conf import Conf, get_ppid
from django_q.worker import worker as stock_worker

from jobs.engine.quarantine import quarantine
from jobs.pool import memory
from jobs.pool.sockets import PacketQueue

logger = logging.getLogger("jobs.pool")

TELL_S = 2.0  # django-q2 keeps what it is told for three seconds
RECOUNT_S = 1.5  # after a start in quarantine its job is no longer among those that wait

_PR_SET_PDEATHSIG = 1  # Linux, prctl(2)


def die_with_parent(parent_pid: int) -> None:
    """Let the kernel kill this process when its parent ends, however it ends. Linux only."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except AttributeError:
        return  # another system: the beat of the watchdog is what is left
    if os.getppid() != parent_pid:  # it died before we asked
        os._exit(1)


def _child(
    parent_pid: int, slot: int | None, target: Callable[..., None], args: tuple[Any, ...]
) -> None:
    """First thing in each process of the pool. Stops are said by the parent, not by signals."""
    die_with_parent(parent_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if slot is not None:
        memory.set_own(slot)
    target(*args)


class HealingSentinel(Sentinel):  # type: ignore[misc]
    """The process that starts workers, pusher and monitor, and starts them again when they die."""

    def __init__(
        self,
        stop_event: Any,
        start_event: Any,
        cluster_id: Any,
        pool: memory.PoolMemory,
        parent_pid: int,
    ) -> None:
        die_with_parent(parent_pid)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        memory.set_current(pool)
        self.memory = pool
        self.pid = os.getpid()
        self.cluster_id = cluster_id
        self.parent_pid = get_ppid()
        self.name = current_process().name
        self.broker = get_broker()
        self.reincarnations = 0
        self.tob = timezone.now()
        self.stop_event = stop_event
        self.start_event = start_event
        self.pool_size = Conf.WORKERS
        self.pool: list[Any] = []
        self.quarantine: list[Any] = []  # processes for jobs whose worker once died
        self._recounted_at = self._tell_at = 0.0
        self.timeout = Conf.TIMEOUT
        self.task_queue = PacketQueue(drop_when_full=True)
        self.result_queue = PacketQueue(drop_when_full=True)  # nobody needs what a ticket returns
        self.event_out = memory.Flag()
        self.monitor: Any = None
        self.pusher: Any = None
        self.start()

    def spawn_process(self, target: Any, *args: Any) -> Any:
        """Start a child that dies with us; one that runs jobs gets a slot of the shared memory."""
        index = self.memory.free_index() if target in (stock_worker, quarantine) else None
        process: Any = stock.get_mp_context().Process(
            target=_child,
            args=(os.getpid(), index, target, args),
            name=f"Process-{target.__name__}",
        )
        process.daemon = True
        process.start()
        if index is not None:
            # It says the same itself, but may die before it comes to it.
            self.memory.slot(index).pid = process.pid
            self.memory.slot(index).beat = time.monotonic()
            self.memory.slot(index).busy = int(target is quarantine)  # which takes no tickets
            process.slot = index
        if target is stock_worker:
            process.timer = args[2]
            self.pool.append(process)
        return process

    def guard(self) -> None:
        """Go round: replace the dead, follow the wanted size, tell that all is watched.

        django-q2's own round would wait for ever on the lock of a worker that was killed while it
        held it, and knows one size only.
        """
        self.start_event.set()
        while True:
            for process in list(self.pool):
                if self._has_ended(process):
                    if self.memory.slot(process.slot).is_retiring:
                        self._retire(process)
                    else:
                        self.reincarnate(process)
            self._follow_size()
            self._follow_suspects()
            for helper in (self.monitor, self.pusher):
                if not helper.is_alive():
                    self.reincarnate(helper)
            self.memory.beat_guard()
            self._tell()
            if self.stop_event.wait(Conf.GUARD_CYCLE):
                break
        self.stop()

    def _tell(self) -> None:
        """What qmonitor shows; signed and put into the cache, which costs more than the round itself."""
        if (now := time.monotonic()) >= self._tell_at:
            self._tell_at = now + TELL_S
            stock.Stat(self).save()

    def _has_ended(self, process: Any) -> bool:
        return process.timer.value == 0 or not process.is_alive()

    def _follow_size(self) -> None:
        """One step a round towards the size that the pusher wants; 0: as configured."""
        wanted = self.memory.wanted or Conf.WORKERS
        staying = [p for p in self.pool if not self.memory.slot(p.slot).is_retiring]
        if len(staying) < wanted:
            db.connections.close_all()
            self.spawn_worker()
        elif len(staying) > wanted:
            # It ends after its next ticket; nothing is taken from it.
            self.memory.slot(staying[-1].slot).is_retiring = 1

    def _follow_suspects(self) -> None:
        """As many processes in quarantine as suspects are due, at most one beside each worker."""
        for process in [each for each in self.quarantine if not each.is_alive()]:
            self.quarantine.remove(process)
            self._bury(process)
        busy = sum(self.memory.slot(process.slot).is_at_job() for process in self.quarantine)
        wanted = min(busy + self.memory.suspects, self.memory.size)
        if len(self.quarantine) < wanted and time.monotonic() >= self._recounted_at:
            # One at a time: the pusher counts each second, and may have counted what runs by now.
            self._recounted_at = time.monotonic() + RECOUNT_S
            db.connections.close_all()
            self.quarantine.append(self.spawn_process(quarantine))

    def _retire(self, process: Any) -> None:
        self.pool.remove(process)
        self._bury(process)
        logger.info("a worker retired: fewer are wanted, or somebody told it to end")

    def _bury(self, process: Any) -> None:
        """Mark the slot of an ended worker; the pusher takes back what it held."""
        slot = self.memory.slot(process.slot)
        if slot.worker_id():
            slot.is_dead = 1
            slot.pid = 0
        else:
            self.memory.clear(process.slot)
        self.memory.forget_outstanding()

    def reincarnate(self, process: Any) -> None:
        """Replace a dead child. What a dead worker held is taken back by the pusher at once."""
        if process in self.pool:
            self._bury(process)
        super().reincarnate(process)

    def stop(self) -> None:
        """Wait for all children; how long they may take is the parent's business."""
        super().stop()
        while any(process.is_alive() for process in self.quarantine):
            time.sleep(memory.GLANCE_S)
            stock.Stat(self).save()


class HealingCluster(Cluster):  # type: ignore[misc]
    """Starts a HealingSentinel. Signals are the business of the command (jobs/pool/watchdog.py)."""

    def __init__(self, pool: memory.PoolMemory) -> None:
        handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        super().__init__()
        signal.signal(signal.SIGTERM, handlers[0])
        signal.signal(signal.SIGINT, handlers[1])
        self.memory = pool

    def start(self) -> int:
        """Fork the sentinel; does not wait until it runs, the watchdog sees to that."""
        db.connections.close_all()
        self.stop_event = memory.Flag()
        self.start_event = memory.Flag()
        self.sentinel = stock.get_mp_context().Process(
            target=HealingSentinel,
            name="Process-sentinel",
            args=(self.stop_event, self.start_event, self.cluster_id, self.memory, os.getpid()),
        )
        self.sentinel.start()
        return int(self.pid)

    def tell_to_stop(self) -> None:
        """Ask the sentinel to stop; does not wait."""
        if self.stop_event is not None:
            self.stop_event.set()

    def kill(self) -> None:
        """End the sentinel at once; the kernel ends its children with it."""
        if self.sentinel is not None and self.sentinel.is_alive():
            self.sentinel.kill()
            self.sentinel.join(5)
