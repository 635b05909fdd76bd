"""Crypto Pay as jobs ask it: one client per process, one pace and one breaker for all workers.

Call nothing of this inside a transaction: each function makes network calls. What it raises besides
the errors of payments.providers.cryptobot.errors: BreakerOpen, while Crypto Pay is known to be down (a
job that lets it pass is snoozed, so its kind needs no `breaker` of its own).
"""

import logging
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings

from jobs import breakers, rates
from jobs.context import current_job
from jobs.registry import Rate
from lib import clock
from payments.providers.cryptobot.client import PAGE_LIMIT, CryptoPayClient
from payments.providers.cryptobot.errors import (
    CryptoPayBusy,
    CryptoPayError,
    CryptoPayNotConfigured,
    CryptoPayRefused,
    CryptoPayUnknown,
)
from payments.providers.cryptobot.types import (
    AppProfile,
    Balance,
    ExchangeRate,
    Invoice,
    InvoiceOrder,
    InvoiceStatus,
)

BREAKER = "cryptobot"
BUCKET = "cryptobot"
# A second is what everybody waits at least after a 429; several in a row open the breaker.
SHORTEST_PAUSE = timedelta(seconds=1)
PATIENCE_S = 5.0  # how long a reader waits for its turn before it gives way
OVERLAP = 50  # invoices that a page repeats of the one before, for some leave meanwhile
CLOCKS_DIFFER = timedelta(hours=1)  # at most, ours and theirs

logger = logging.getLogger(__name__)


def is_configured() -> bool:
    """Whether there is a token at all."""
    return bool(settings.CRYPTOBOT_TOKEN)


def client() -> CryptoPayClient:
    """The client of this process for the settings as they are. Raises CryptoPayNotConfigured."""
    if not is_configured():
        raise CryptoPayNotConfigured
    return _client(settings.CRYPTOBOT_API_URL, settings.CRYPTOBOT_TOKEN, settings.INVOICE_TTL)


@lru_cache(2)
def _client(base_url: str, token: str, longest_life: timedelta) -> CryptoPayClient:
    return CryptoPayClient(base_url, token, longest_life=longest_life)


def invoice_open(
    order: InvoiceOrder, *, look_first: bool, since: datetime | None = None
) -> Invoice:
    """Make the invoice of an order, or find the one that an earlier try made.

    look_first: False for the very first try only; since: not long after that, see invoice_find. Safe to
    repeat with True: the payload tells one order from another. CryptoPayUnknown: it may exist; come
    again with look_first.
    """
    if look_first:
        found = invoice_find(order.payload, fiat=order.fiat, asset=order.asset, since=since)
        if found is not None:
            logger.info("invoice %d was made by an earlier try", found.invoice_id)
            return found
    with _asking() as door:
        return door.invoice_create(order)


def invoice_find(
    payload: str,
    *,
    fiat: str | None = None,
    asset: str | None = None,
    since: datetime | None = None,
) -> Invoice | None:
    """The active invoice with this payload; of several, the oldest, and the spare ones are deleted.

    Reads the active invoices in that currency, a page at a time and at the pace of a poll. since: it
    was made after this moment, so that a service that lists the newest first need not be read to its
    end. Not found: there is none, or it was paid, has expired, or is being made in this very moment.
    """
    found: dict[int, Invoice] = {}
    offset = 0
    while True:
        page = _page(fiat, asset, offset)
        found.update((each.invoice_id, each) for each in page if each.payload == payload)
        if len(page) < PAGE_LIMIT or (since is not None and _is_past(page, since)):
            break
        offset += PAGE_LIMIT - OVERLAP
    if not found:
        return None
    oldest, *spare = sorted(found)
    for invoice_id in spare:
        logger.warning("invoice %d is a second one for the same order", invoice_id)
        invoice_delete(invoice_id)
    return found[oldest]


def _is_past(page: list[Invoice], since: datetime) -> bool:
    """Whether all that follows is older than this. Only a page in that very order tells."""
    ids = [each.invoice_id for each in page]
    is_newest_first = ids == sorted(ids, reverse=True)
    return is_newest_first and page[-1].created_at < since - CLOCKS_DIFFER


def _page(fiat: str | None, asset: str | None, offset: int) -> list[Invoice]:
    with _polling() as door:
        return door.invoices(
            status=InvoiceStatus.ACTIVE, fiat=fiat, asset=asset, offset=offset, count=PAGE_LIMIT
        )


def invoices_read(ids: Collection[int]) -> dict[int, Invoice]:
    """Invoices by id, as they are now; one that is missing is gone. At most IDS_LIMIT of them."""
    if not ids:
        return {}
    with _polling() as door:
        return {invoice.invoice_id: invoice for invoice in door.invoices(ids)}


def invoice_read(invoice_id: int) -> Invoice | None:
    """The true state of one invoice, at once: after a webhook nobody waits for the pace of polls."""
    with _asking() as door:
        found = door.invoices([invoice_id])
    return found[0] if found else None


def invoice_delete(invoice_id: int) -> None:
    """Delete an invoice; one that is gone already is fine. Safe to repeat.

    Raises CryptoPayRefused if it cannot be deleted any more: it may have been paid meanwhile.
    """
    try:
        with _asking() as door:
            door.invoice_delete(invoice_id)
    except (CryptoPayRefused, CryptoPayUnknown):
        # It may race with a payment, and the answer may be lost: what counts is how it is now.
        if invoice_read(invoice_id) is not None:
            raise


def me() -> AppProfile:
    """Whose token we have."""
    with _asking() as door:
        return door.me()


def balance() -> list[Balance]:
    with _polling() as door:
        return door.balance()


def exchange_rates() -> list[ExchangeRate]:
    with _polling() as door:
        return door.exchange_rates()


@contextmanager
def _polling() -> Iterator[CryptoPayClient]:
    """A read of which many may come: one a second over all workers. Raises CryptoPayBusy."""
    client()  # without a token there is no turn to wait for
    _await_turn()
    with _asking(has_turn=True) as door:
        yield door


def _await_turn() -> None:
    rate = Rate(settings.CRYPTOBOT_POLLS_PER_S, "1s", burst=1)
    ends_at = time.monotonic() + PATIENCE_S
    nobody = threading.Event()
    while (wait := rates.take(BUCKET, rate)) is not None:
        if time.monotonic() + wait.total_seconds() > ends_at:
            raise CryptoPayBusy(wait)
        if (job := current_job()) is not None:
            job.check()
        nobody.wait(wait.total_seconds())


@contextmanager
def _asking(*, has_turn: bool = False) -> Iterator[CryptoPayClient]:
    """Ask only if Crypto Pay is up and has not asked to wait; tell the breaker how it went.

    has_turn: just taken from the bucket, which gives none while a pause runs.
    """
    door = client()
    if not has_turn:
        _respect_pause()
    wait = breakers.wait_for(BREAKER)  # the last question: it may make us the one who probes
    if wait is not None:
        raise breakers.BreakerOpen(BREAKER, wait)
    try:
        yield door
    except CryptoPayError as exc:
        if isinstance(exc, CryptoPayBusy):
            rates.pause(BUCKET, max(exc.retry_after or SHORTEST_PAUSE, SHORTEST_PAUSE))
        if exc.is_service_failure:
            breakers.record_failure(BREAKER, str(exc))
        else:
            breakers.record_success(BREAKER)
        raise
    breakers.record_success(BREAKER)


def _respect_pause() -> None:
    until = rates.paused_until(BUCKET)
    if until is None:
        return
    left = until + clock.offset() - clock.now()  # the pause runs in real time
    if left > timedelta(0):
        raise CryptoPayBusy(left)
