"""Writing how attempts ended: all in one go, one by one where Postgres refuses an outcome, again and
again while it is away."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from jobs import stats
from jobs.ending import Ended, outcomes_write, outcomes_write_and_lease
from jobs.engine.attempt import attempt_end, outcomes_log
from jobs.lease import Lease
from jobs.outcomes import Dead

logger = logging.getLogger("jobs.engine")

LONGEST_PAUSE_S = 2.0


def ends_write(ended: Sequence[Ended]) -> None:
    """Write outcomes and log them. Raises database errors only if the database is away.

    Repeat: what is written already is fenced and changes nothing.
    """
    try:
        written = outcomes_write(ended)
    except DatabaseError as exc:
        if is_away(exc):
            raise
        written = _write_singly(ended)
    _tell(ended, written)


def ends_write_and_lease(ended: Sequence[Ended], **wish: Any) -> list[Lease]:
    """Write outcomes, log them, and take the next jobs; see outcomes_write_and_lease.

    Raises the database's error. If it is away nobody knows what was done, otherwise nothing was.
    """
    written, leases = outcomes_write_and_lease(ended, **wish)
    _tell(ended, written)
    return leases


def _tell(ended: Sequence[Ended], written: set[UUID]) -> None:
    outcomes_log([end for end in ended if end.lease.id in written])
    if len(written) < len(ended):
        for end in ended:
            if end.lease.id not in written:
                fenced_log(end.lease, "its outcome came too late")


def _write_singly(ended: Sequence[Ended]) -> set[UUID]:
    """One outcome that Postgres refuses must not take its neighbours with it."""
    written: set[UUID] = set()
    for end in ended:
        try:
            written |= outcomes_write([end])
        except DatabaseError as exc:
            if is_away(exc):
                raise
            logger.exception("an outcome could not be stored", extra={"job_id": str(end.lease.id)})
            refused = Dead(f"its outcome could not be stored: {exc}")
            written |= outcomes_write([attempt_end(end.lease, None, refused, None, end.started)])
    return written


def insist(write: Callable[[], object]) -> None:
    """Call it, again and again while the database is away, as long as a lease lasts; then raise."""
    deadline = time.monotonic() + settings.JOBS["lease"].total_seconds()
    pause, pause_s = threading.Event(), 0.05
    while True:
        try:
            write()
        except (DatabaseError, InterfaceError) as exc:
            connection.close()
            if not is_away(exc) or time.monotonic() > deadline:
                raise
        else:
            return
        pause.wait(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def is_away(exc: BaseException) -> bool:
    """Did Postgres not answer, or not now? Then the same may succeed later."""
    if not isinstance(exc, OperationalError | InterfaceError):
        return False
    state = getattr(exc.__cause__, "sqlstate", None)
    # 08 connection, 57 shutdown and cancel, 53 resources, 40 deadlock, 25 read-only standby.
    return state is None or state[:2] in {"08", "57", "53", "40", "25"}


def fenced_log(lease: Lease, why: str) -> None:
    """A lease was lost: whatever was done under it changes nothing."""
    stats.fenced(lease.kind, lease.queue)
    logger.warning(
        "job fenced: %s",
        why,
        extra={"job_id": str(lease.id), "kind": lease.kind, "fence": lease.fence},
    )
