"""Looking for work that has come about by itself: kinds declared with `look=`.

A schedule of a few seconds would make, run and keep a job each time, mostly to find nothing. The pusher asks
the database instead, and makes a job only where there is something to do. The schedule of the kind, if it has
one, is the net.
"""

import logging

from jobs import sql
from jobs.registry import kinds
from lib import clock
from lib.errors import DomainError

logger = logging.getLogger("jobs.pool")


def work_look() -> list[str]:
    """Make one job for each kind that has work. Returns their names. One query for all of them.

    Any number of pools may do so: the kinds are single, so their calls fold into one. Raises database
    errors.
    """
    looked = [kind for kind in kinds() if kind.look]
    if not looked:
        return []
    query = "SELECT " + ", ".join(f"EXISTS ({kind.look})" for kind in looked)
    found = sql.row(query, {"now": clock.now()}) or ()
    called = [kind for kind, has_work in zip(looked, found, strict=True) if has_work]
    for kind in called:
        try:
            kind.enqueue()
        except DomainError as exc:
            logger.warning("there is work for %s, which is refused: %s", kind.name, exc)
    return [kind.name for kind in called]
