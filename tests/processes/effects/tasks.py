"""Jobs that behave, and jobs that do not."""

import ctypes
import logging
import os
import signal
import sys
import time

from django.db import transaction

from jobs.context import JobContext, current_job
from jobs.errors import Interrupt
from jobs.ladders import Delays
from jobs.registry import job
from tests.processes.effects.models import Effect, Left, Trace

logger = logging.getLogger(__name__)

SOON = Delays("50ms 50ms 50ms")
SLICE_S = 0.02


def _leave(row: type[Left], key: str, n: int, **more: str) -> None:
    context = _context()
    row(
        job_id=context.id, kind=context.kind, key=key, n=n, attempt=context.attempt,
        fence=context.fence, pid=os.getpid(), **more,
    ).save()  # fmt: skip


def _context() -> JobContext:
    context = current_job()
    assert context is not None
    return context


@job("effects.write", atomic=True, retry=SOON)
def write(key: str = "", n: int = 0, pause_ms: int = 0, fails: int = 0) -> None:
    """Write one row in the transaction of the job, and take a while; fail the first tries."""
    _leave(Effect, key, n)
    time.sleep(pause_ms / 1000)
    if _context().attempt <= fails:
        raise RuntimeError(f"{key} {n} fails {fails} times")


@job("effects.step", retry=SOON)
def step(key: str = "", n: int = 0, fails: int = 0) -> None:
    """Leave a trace of each try; fail the first ones."""
    _step(key, n, fails)


@job("effects.step_ahead", retry=Delays("2s 2s"), skip_ahead=True)
def step_ahead(key: str = "", n: int = 0, fails: int = 0) -> None:
    """The same, but a try that waits lets the others of its key go first."""
    _step(key, n, fails)


def _step(key: str, n: int, fails: int) -> None:
    _leave(Trace, key, n, mark="start")
    if _context().attempt <= fails:
        raise RuntimeError(f"{key} {n} fails {fails} times")
    _leave(Trace, key, n, mark="end")


@job("effects.sleep", retry=SOON, timeout="5m")
def sleep(seconds: float = 0, key: str = "", n: int = 0) -> None:
    """Take long, in small steps, so that an interrupt is noticed at once."""
    _sleep(seconds, key, n)


@job("effects.sleep_threaded", queue="notifications", retry=SOON, timeout="5m")
def sleep_threaded(seconds: float = 0, key: str = "", n: int = 0) -> None:
    """The same in a thread."""
    _sleep(seconds, key, n)


def _sleep(seconds: float, key: str, n: int) -> None:
    _leave(Trace, key, n, mark="start")
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            time.sleep(SLICE_S)
    except Interrupt as exc:
        _leave(Trace, key, n, mark=type(exc).__name__)
        raise
    _leave(Trace, key, n, mark="end")


@job("effects.spin", retry=SOON, timeout="5m")
def spin(seconds: float = 0) -> None:
    """Never wait for anything."""
    _leave(Trace, "", 0, mark="start")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


@job("effects.tick", timeout="5m")
def tick(seconds: float) -> None:
    """Leave a trace every few milliseconds, so that one sees how long it really went on."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _leave(Trace, "", 0, mark="tick")
        time.sleep(SLICE_S)


@job("effects.nest", timeout="5m")
def nest(seconds: float) -> None:
    """Open and close transactions all the time, so that an interrupt hits one in the act."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with transaction.atomic(), transaction.atomic():
            _leave(Trace, "", 0, mark="nested")


@job("effects.ignore", timeout="200ms")
def ignore(times: int) -> None:
    """Do not listen, the first times, when told that the time is over."""
    _leave(Trace, "", 0, mark="start")
    while _context().attempt <= times:
        try:
            time.sleep(60)
        except Interrupt:
            _leave(Trace, "", 0, mark="ignored")


@job("effects.ignore_threaded", queue="notifications", timeout="200ms")
def ignore_threaded(times: int) -> None:
    """The same in a thread, where a call that waits cannot be interrupted."""
    _leave(Trace, "", 0, mark="start")
    if _context().attempt <= times:
        time.sleep(600)


@job("effects.seize", timeout="5m")
def seize(times: int) -> None:
    """Wait in C without giving the interpreter back: nothing else of the process can run."""
    _leave(Trace, "", 0, mark="start")
    if _context().attempt <= times:
        ctypes.PyDLL(None).sleep(600)


@job("effects.die", timeout="5m")
def die(times: int = 99) -> None:
    """Kill the worker, each time or the first times."""
    _die(times)


@job("effects.die_threaded", queue="notifications", timeout="5m")
def die_threaded(times: int = 99) -> None:
    """The same from a thread."""
    _die(times)


def _die(times: int) -> None:
    _leave(Trace, "", 0, mark="start")
    if _context().attempt <= times:
        os.kill(os.getpid(), signal.SIGKILL)


@job("effects.leave")
def leave(at_once: bool = False) -> None:
    """Try to end the process: by SystemExit, or without a word."""
    _leave(Trace, "", 0, mark="start")
    if at_once:
        os._exit(3)
    sys.exit(3)


@job("effects.babble", retry=SOON)
def babble() -> None:
    """Log and raise what Postgres cannot store."""
    logger.warning("a NUL \x00 and half a pair \ud800")
    raise RuntimeError("a NUL \x00 and half a pair \ud800")


if "EFFECTS_VANISHED" not in os.environ:

    @job("effects.vanish")
    def vanish() -> None:
        """Not known to a cluster that is told so: it vanished between two deploys."""
