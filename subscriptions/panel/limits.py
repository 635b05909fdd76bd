"""Taking one's turn at the panel: the breaker, the rate and a place, over all processes.

Background work (the mirror, bulk operations) leaves a quarter of places and rate to the rest, so that
somebody who has paid waits for none of it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial

from django.db import connection

from jobs import breakers, rates
from jobs.registry import Rate
from subscriptions.panel.errors import (
    BREAKER,
    PanelAway,
    PanelBusy,
    PanelDown,
    PanelUnknown,
)
from subscriptions.panel.places import NoPlace, TooFast, place_hold

PATIENCE = timedelta(seconds=5)  # for rate and place; then the caller does something else
BUCKET = "remnawave"
BACKGROUND_BUCKET = "remnawave:background"
BACKGROUND_SHARE = 0.75
_AT_FAULT = (PanelAway, PanelUnknown)


def turns(
    *, concurrency: int, rate: Rate, span: timedelta, is_background: bool = False
) -> Callable[[], AbstractContextManager[None]]:
    """What a client enters around every request.

    concurrency: requests at once; rate: how many may begin; span: longer than one may take.
    """
    count = max(1, int(concurrency * BACKGROUND_SHARE)) if is_background else concurrency
    return partial(_turn, count, rate, span, is_background=is_background)


@contextmanager
def _turn(count: int, rate: Rate, span: timedelta, *, is_background: bool) -> Iterator[None]:
    """Wait until the panel may be asked, and learn from what comes of it.

    Raises PanelDown, PanelBusy; RuntimeError within a transaction, which would wait for the panel.
    """
    _refuse_transaction()
    wait = breakers.wait_for(BREAKER)
    if wait is not None:
        raise PanelDown("it is known to be away", wait)
    paces = {BUCKET: rate}
    if is_background:
        slower = max(1, int(rate.count * BACKGROUND_SHARE))
        paces[BACKGROUND_BUCKET] = Rate(slower, rate.per, 1)
    try:
        with place_hold(count, span=span, patience=PATIENCE, paces=paces), _learning():
            yield
    except NoPlace:
        raise PanelBusy(f"{count} requests are under way", timedelta(seconds=1)) from None
    except TooFast as exc:
        raise PanelBusy("as many requests as it may get are made", exc.wait) from None


@contextmanager
def _learning() -> Iterator[None]:
    """Tell breaker and rate how the request went."""
    try:
        yield
    except _AT_FAULT as exc:
        breakers.record_failure(BREAKER, str(exc))
        raise
    except PanelBusy as exc:  # 429 of a proxy: everybody waits
        breakers.record_success(BREAKER)
        rates.pause(BUCKET, exc.retry_after)
        raise
    except Exception:
        breakers.record_success(BREAKER)
        raise
    breakers.record_success(BREAKER)


def _refuse_transaction() -> None:
    """Like Atomic(durable=True): the transaction of a test case does not count."""
    blocks = connection.atomic_blocks
    if connection.in_atomic_block and blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise RuntimeError("the panel is never asked within a transaction")
