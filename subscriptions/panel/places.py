"""Places at the panel: how many requests are under way at once, over all processes.

A place is held for one request and given back after it; who dies with one loses it as soon as the
server notices that his session is gone, at the latest when its time is over. Unlike jobs/slots.py it
is not bound to a job: people ask too, and one job may ask from threads.
"""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from jobs.compiled import rows_of
from jobs.registry import Rate

_TAKE = """
SELECT o_number, o_token, o_wait FROM panel_turn_take(
    %s::text[], %s::interval[], %s::interval[], %s, %s)
"""
_GIVE_BACK = """
UPDATE panel_place SET until = 'epoch' WHERE number = %s AND token = %s RETURNING number
"""
_POLL_S, _POLL_AT_MOST_S = 0.01, 0.2  # each look waits longer: many may wait for few places
_LEAST = timedelta(milliseconds=5)


class NoPlace(Exception):
    """All places were taken for as long as one was waited for."""


class TooFast(Exception):
    """As many requests as may begin have begun; wait says when there may be another."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait


@contextmanager
def place_hold(
    count: int,
    *,
    span: timedelta,
    patience: timedelta,
    paces: Mapping[str, Rate] | None = None,
    calls: int = 1,
) -> Iterator[int]:
    """Hold one of `count` places; gives its number. Raises NoPlace or TooFast after `patience`.

    span: longer than a request may take; then the place is free, whatever became of its holder, even
        behind a pooler, whose sessions outlive him.
    paces: how many may begin, by bucket (jobs/rates.py); of each `calls` tokens are taken with the place,
    which may be more than a burst: then the next waits the longer.
    """
    number, token = _wait(count, span, patience, paces or {}, calls)
    try:
        yield number
    finally:
        rows_of(_GIVE_BACK, [number, token])


def _wait(
    count: int, span: timedelta, patience: timedelta, paces: Mapping[str, Rate], calls: int
) -> tuple[int, int]:
    steps = {name: rate.per / rate.count for name, rate in paces.items()}
    params = [
        list(steps),
        [step * calls for step in steps.values()],
        [step * max(paces[name].burst, calls) for name, step in steps.items()],
        count,
        span,
    ]
    ends_at = time.monotonic() + patience.total_seconds()
    poll_s = _POLL_S
    while True:
        [(number, token, wait)] = rows_of(_TAKE, params)
        if number is not None:
            return number, token
        now = time.monotonic()
        if wait is not None:
            if now + wait.total_seconds() > ends_at:
                raise TooFast(max(wait, _LEAST))
            time.sleep(max(wait, _LEAST).total_seconds())
        elif now >= ends_at:
            raise NoPlace
        else:
            time.sleep(poll_s * random.uniform(0.5, 1.5))  # noqa: S311 - so that they do not come in step
            poll_s = min(poll_s * 1.5, _POLL_AT_MOST_S)
