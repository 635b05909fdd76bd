"""`NOTIFY jobs_wake, 'telegram.drain_queue'`: a trigger of any table asks for a job of a kind.

The one who inserts holds no lock of ours and waits for nobody; the pusher makes the job, and a hundred
calls make one (kinds that may be called so are `single`).
"""

import logging

from jobs.registry import kind_find, kinds
from lib.errors import DomainError

logger = logging.getLogger("jobs.pool")


def run_called(names: set[str]) -> None:
    """Make one job for each called kind. Calls that we do not know are dropped with a warning."""
    for name in names:
        kind = kind_find(name)
        if kind is None or not kind.on_notify:
            logger.warning("a notification asks for %r, which may not be called so", name[:80])
            continue
        try:
            kind.enqueue()
        except DomainError as exc:
            logger.warning("a notification asks for %s, which is refused: %s", name, exc)


def run_missed() -> None:
    """Make one job of every kind that may be called: nobody has listened for a while."""
    run_called({kind.name for kind in kinds() if kind.on_notify})
