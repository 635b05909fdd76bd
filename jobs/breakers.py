"""Circuit breakers of outside services, one row each, shared by all workers.

closed -- THRESHOLD failures in a row --> open -- its pause is over, one caller probes --> half-open
half-open -- success --> closed;  half-open -- failure --> open again, with a longer pause

What every call needs to know is kept in the process for half a second; every change is one
conditional UPDATE, and is kept as a BreakerEvent.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.dispatch import Signal

from jobs.compiled import rows_of
from jobs.models import Breaker, BreakerEvent
from lib import clock

logger = logging.getLogger(__name__)

THRESHOLD = 3  # failures in a row
PAUSE = timedelta(seconds=5)  # before the first probe; doubles with each failed probe
LONGEST_PAUSE = timedelta(minutes=2)
PROBE = timedelta(seconds=60)  # a probe that never reports back gives way to another
_CACHE_S = 0.5
_STATE = "SELECT state, failures, retry_at FROM jobs_breaker WHERE name = %s"

# Sent in the transaction that changes the state: name, state, reason.
breaker_changed = Signal()


class BreakerOpen(Exception):
    """The service is known to be down; nothing was asked of it."""

    def __init__(self, name: str, retry_after: timedelta) -> None:
        super().__init__(f"breaker {name} is open")
        self.retry_after = retry_after


_local = threading.local()


def _cached() -> dict[str, tuple[float, str, int]]:
    if not hasattr(_local, "states"):
        _local.states = {}
    states: dict[str, tuple[float, str, int]] = _local.states
    return states


def _probes() -> dict[str, datetime]:
    """The breakers that this thread probes, and until when: retry_at of the row, while that stands."""
    if not hasattr(_local, "probes"):
        _local.probes = {}
    probes: dict[str, datetime] = _local.probes
    return probes


def wait_for(name: str) -> timedelta | None:
    """How long to wait before asking the service; None: ask now. May make the caller the probe."""
    seen = _cached().get(name)
    if seen and seen[1] == "closed" and time.monotonic() - seen[0] < _CACHE_S:
        return None
    found = rows_of(_STATE, [name])
    state, failures, retry_at = found[0] if found else ("closed", 0, None)
    _cached()[name] = (time.monotonic(), state, failures)
    if state == "closed":
        return None
    if state == "half_open" and _probes().get(name) == retry_at:
        return None  # the gate of a job made it the probe; now its client asks
    now = clock.now()
    if retry_at is not None and retry_at > now:
        pause: timedelta = retry_at - now
        return pause
    return None if _become_probe(name) else timedelta(seconds=1)


def _become_probe(name: str) -> bool:
    """Take the right to probe, for this thread. One winner per PROBE, whoever asks."""
    now = clock.now()
    with transaction.atomic():
        won = (
            Breaker.objects.filter(name=name, retry_at__lte=now)
            .exclude(state="closed")
            .update(state="half_open", retry_at=now + PROBE, changed_at=now)
        )
        if won:
            _tell(name, "half_open", "one call probes the service")
            _probes()[name] = now + PROBE
    return won == 1


def record_success(name: str) -> None:
    """The service answered. Closes an open breaker; costs nothing while all is well."""
    seen = _cached().get(name)
    if seen and seen[1] == "closed" and seen[2] == 0:
        return
    now = clock.now()
    with transaction.atomic():
        closed = (
            Breaker.objects.filter(name=name)
            .exclude(state="closed")
            .update(state="closed", failures=0, openings=0, retry_at=None, changed_at=now)
        )
        if closed:
            _tell(name, "closed", "the service answers again")
        else:
            Breaker.objects.filter(name=name, failures__gt=0).update(failures=0)
    _cached()[name] = (time.monotonic(), "closed", 0)


def record_failure(name: str, error: str) -> None:
    """The service did not answer as it should. Opens the breaker at the THRESHOLD."""
    now = clock.now()
    with transaction.atomic():
        Breaker.objects.bulk_create([Breaker(name=name)], ignore_conflicts=True)
        row = Breaker.objects.select_for_update(no_key=True).get(pk=name)
        row.failures += 1
        row.last_error = error[:2000]
        opens = row.state == "half_open" or (row.state == "closed" and row.failures >= THRESHOLD)
        if opens:
            row.state, row.changed_at, row.opened_at = "open", now, row.opened_at or now
            if row.openings == 0:
                row.opened_at = now
            row.retry_at = now + min(PAUSE * 2**row.openings, LONGEST_PAUSE)
            row.openings += 1
        row.save()
        if opens:
            _tell(name, "open", error)
    _cached()[name] = (time.monotonic(), row.state, row.failures)


def force(name: str, *, is_open: bool, reason: str) -> None:
    """Open (until closed by hand or by a probe after an hour) or close a breaker, by a person."""
    now = clock.now()
    with transaction.atomic():
        Breaker.objects.bulk_create([Breaker(name=name)], ignore_conflicts=True)
        row = Breaker.objects.select_for_update(no_key=True).get(pk=name)
        row.state = "open" if is_open else "closed"
        row.failures, row.openings, row.changed_at = 0, 0, now
        row.opened_at = now if is_open else None
        row.retry_at = now + timedelta(hours=1) if is_open else None
        row.save()
        _tell(name, row.state, reason)
    _cached().pop(name, None)


@contextmanager
def guard(name: str, *, failures: tuple[type[BaseException], ...]) -> Iterator[None]:
    """Run a call to the service: raises BreakerOpen if it is known to be down, counts how it went.

    failures: the exceptions that mean that the service is at fault; others count as an answer.
    """
    wait = wait_for(name)
    if wait is not None:
        raise BreakerOpen(name, wait)
    try:
        yield
    except failures as exc:
        record_failure(name, f"{type(exc).__name__}: {exc}")
        raise
    except Exception:
        record_success(name)
        raise
    record_success(name)


def _tell(name: str, state: str, reason: str) -> None:
    BreakerEvent.objects.create(breaker_id=name, state=state, reason=reason[:2000], at=clock.now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('jobs_wake', '')")
    level = logging.WARNING if state == "open" else logging.INFO
    logger.log(level, "breaker %s is %s", name, state, extra={"breaker": name, "state": state})
    breaker_changed.send(Breaker, name=name, state=state, reason=reason)
