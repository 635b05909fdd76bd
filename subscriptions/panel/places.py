"""Places at the panel: how many requests are under way at once, over all processes.

A place is held for one request and given back after it; who dies with one loses it when its time is
over. Unlike jobs/slots.py it is not bound to a job: people ask too, and one job may ask from threads.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from jobs import sql

_TAKE = """
UPDATE panel_place SET until = clock_timestamp() + %(span)s, token = token + 1
WHERE number = (
    SELECT number FROM panel_place WHERE number <= %(count)s AND until <= clock_timestamp()
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING number, token
"""
_MAKE = """
INSERT INTO panel_place (number) SELECT generate_series(1, %(count)s) ON CONFLICT DO NOTHING
"""
_GIVE_BACK = """
UPDATE panel_place SET until = 'epoch' WHERE number = %(number)s AND token = %(token)s
"""
_POLL_S, _POLL_AT_MOST_S = 0.01, 0.2  # each look waits longer: many may wait for few places


class NoPlace(Exception):
    """All places were taken for as long as one was waited for."""


@contextmanager
def place_hold(count: int, *, span: timedelta, patience: timedelta) -> Iterator[int]:
    """Hold one of `count` places; gives its number. Raises NoPlace after `patience`.

    span: longer than a request may take; then the place is free, whatever became of its holder.
    """
    number, token = _wait(count, span, patience)
    try:
        yield number
    finally:
        sql.run(_GIVE_BACK, {"number": number, "token": token})


def _wait(count: int, span: timedelta, patience: timedelta) -> tuple[int, int]:
    params = {"count": count, "span": span}
    ends_at = time.monotonic() + patience.total_seconds()
    made, pause_s = False, _POLL_S
    while True:
        row = sql.row(_TAKE, params)
        if row is not None:
            return row[0], row[1]
        if not made:  # there may be too few rows, at first or after the number was raised
            made = True
            if sql.run(_MAKE, params):
                continue
        if time.monotonic() >= ends_at:
            raise NoPlace
        time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - so that they do not come in step
        pause_s = min(pause_s * 1.5, _POLL_AT_MOST_S)
