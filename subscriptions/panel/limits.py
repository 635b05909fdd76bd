"""Taking one's turn at the panel: the breaker, the rate and a place, over all processes.

Background work (the mirror, bulk operations) leaves a quarter of places and rate to the rest, so that
somebody who has paid waits for none of it.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

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


class Turns:
    """Entered around every request (call it), or around a few of one thread (`visit`)."""

    def __init__(
        self, *, concurrency: int, rate: Rate, span: timedelta, is_background: bool = False
    ) -> None:
        """concurrency: requests at once; rate: how many may begin; span: longer than one may take."""
        self._count = max(1, int(concurrency * BACKGROUND_SHARE)) if is_background else concurrency
        self._span = span
        self._paces = {BUCKET: rate}
        if is_background:
            slower = max(1, int(rate.count * BACKGROUND_SHARE))
            self._paces[BACKGROUND_BUCKET] = Rate(slower, rate.per, 1)
        self._visits = _Visits()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """One request: wait until the panel may be asked, and learn from what comes of it.

        Raises PanelDown, PanelBusy; RuntimeError within a transaction, which would wait for the panel.
        """
        _refuse_transaction()
        _refuse_away()
        if self._visits.take():
            with _learning():
                yield
            return
        with self._place(1), _learning():
            yield

    @contextmanager
    def visit(self, calls: int) -> Iterator[None]:
        """Take place and pace for the next `calls` requests of this thread at once, one after the other.

        For what is asked right after each other: a pack of reads, a write and its reading back. What
        comes beyond them, or after half of the span, takes its own turn; what is not used is lost.
        Raises as a request does.
        """
        _refuse_transaction()
        _refuse_away()
        with self._place(calls), self._visits.allow(calls, self._span):
            yield

    @contextmanager
    def _place(self, calls: int) -> Iterator[None]:
        try:
            with place_hold(
                self._count, span=self._span, patience=PATIENCE, paces=self._paces, calls=calls
            ):
                yield
        except NoPlace:
            raise PanelBusy(f"{self._count} requests are under way", timedelta(seconds=1)) from None
        except TooFast as exc:
            raise PanelBusy("as many requests as it may get are made", exc.wait) from None


class _Visits(threading.local):
    """Requests that this thread may still make on the place that it holds."""

    left = 0
    ends_at = 0.0

    @contextmanager
    def allow(self, calls: int, span: timedelta) -> Iterator[None]:
        before = self.left, self.ends_at
        # A request that begins in the first half of the span ends within it, or nearly always.
        self.left, self.ends_at = calls, time.monotonic() + span.total_seconds() / 2
        try:
            yield
        finally:
            self.left, self.ends_at = before

    def take(self) -> bool:
        if self.left <= 0 or time.monotonic() > self.ends_at:
            return False
        self.left -= 1
        return True


def _refuse_away() -> None:
    wait = breakers.wait_for(BREAKER)
    if wait is not None:
        raise PanelDown("it is known to be away", wait)


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
