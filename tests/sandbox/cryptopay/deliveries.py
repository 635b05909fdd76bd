"""Webhooks: signed, repeated until they are answered with 2xx, at most 17 times within three days.

Source of the number and the span: Crypto Pay API 1.5.2. How the tries are spread is not published;
here they follow WAITS_S. After the last one the webhook is switched off, and no event is sent until
somebody sets an address again. All waiting goes by the clock of the sandbox.
"""

import asyncio
import hashlib
import hmac
import os
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any

import orjson

from tests.sandbox.clock import SandboxClock
from tests.sandbox.cryptopay.shapes import iso
from tests.sandbox.sending import PostFailed, post_within

_MINUTE, _HOUR = 60.0, 3600.0
WAITS_S = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 5, 6, 8, 10, 12)),
    19 * _HOUR + 52 * _MINUTE,  # so that the seventeenth comes three days after the first
)
ATTEMPTS = len(WAITS_S) + 1
URL_VARIABLE = "CRYPTOPAY_WEBHOOK_URL"  # where updates go until somebody says otherwise
DELIVER_S = 5.0
ANSWER_TIMEOUT_S = 5.0
AT_ONCE = 16
KEEP_ATTEMPTS = 5000
# Every so often an update bears the number of the one before it: update_id is not unique.
REPEAT_EVERY = 4

Compose = Callable[[int], tuple[dict[str, Any], str] | None]


@dataclass(slots=True)
class Delivery:
    """An event on its way. tries counts the failed ones."""

    invoice_id: int
    update_id: int
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending. at is unix seconds of the sandbox; status is None if nobody answered."""

    invoice_id: int
    update_id: int
    attempt: int
    at: float
    status: int | None
    error: str
    next_at: float | None


class Deliveries:
    """Sends in the background as soon as something is due, or only when told to (is_held)."""

    def __init__(self, clock: SandboxClock, compose: Compose) -> None:
        """compose: an invoice as it is now and the token that signs it; None: it is gone."""
        self._clock = clock
        self._compose = compose
        self._latest_number = 0
        self._updates = 0
        self._sender: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._turns = count()
        self._on_the_way: dict[asyncio.Task[None], Delivery] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all that waits or is on its way; the address is that of the start again."""
        for task in self._on_the_way:
            task.cancel()
        self.url = os.environ.get(URL_VARIABLE, "")
        self.is_held = False
        self.is_switched_off = False
        self._due: list[tuple[float, int, Delivery]] = []
        self.attempts: deque[Attempt] = deque(maxlen=KEEP_ATTEMPTS)
        self.delivered = 0
        self.failed = 0

    def send_to(self, url: str, *, is_held: bool) -> None:
        """Where updates go from now on; "" sends none. Turns a switched-off webhook on again."""
        self.url, self.is_held, self.is_switched_off = url, is_held, False
        self._wake()

    def announce(self, invoice_id: int, *, delay_s: float, duplicates: int) -> int | None:
        """Let an event be sent, and some copies of it; None if there is nobody to send it to."""
        if not self.url or self.is_switched_off:
            return None
        self._updates += 1
        if self._updates % REPEAT_EVERY or not self._latest_number:
            self._latest_number += 1
        for _ in range(1 + duplicates):
            delivery = Delivery(invoice_id, self._latest_number)
            self._put(self._clock.timestamp() + delay_s, delivery)
        self._wake()
        return self._latest_number

    def again(self, invoice_id: int, update_id: int) -> None:
        """Send an event once more, now."""
        self._put(self._clock.timestamp(), Delivery(invoice_id, update_id))
        self._wake()

    async def deliver_due(self) -> int:
        """Send what is due and wait for the answers; return how many attempts ended meanwhile.

        Gives up the waiting after DELIVER_S, with the rest still due.
        """
        before = self.delivered + self.failed
        ends_at = asyncio.get_running_loop().time() + DELIVER_S
        while asyncio.get_running_loop().time() < ends_at:
            self._start_due()
            if not self._on_the_way:
                break
            await asyncio.wait(self._on_the_way, timeout=1, return_when=asyncio.FIRST_COMPLETED)
        return self.delivered + self.failed - before

    def as_json(self) -> dict[str, Any]:
        now = self._clock.timestamp()
        return {
            "url": self.url,
            "is_held": self.is_held,
            "is_switched_off": self.is_switched_off,
            "waiting": len(self._due),
            "due": sum(due_at <= now for due_at, _, _ in self._due),
            "on_the_way": len(self._on_the_way),
            "delivered": self.delivered,
            "failed": self.failed,
        }

    def waits(self) -> int:
        """How many are due or on their way now."""
        now = self._clock.timestamp()
        return sum(due_at <= now for due_at, _, _ in self._due) + len(self._on_the_way)

    def rows(self) -> dict[str, Any]:
        """What waits, for a file; what is on its way waits there since now."""
        now = self._clock.timestamp()
        return {
            "latest_number": self._latest_number,
            "updates": self._updates,
            "is_switched_off": self.is_switched_off,
            "due": [(due_at, each) for due_at, _, each in self._due]
            + [(now, each) for each in self._on_the_way.values()],
        }

    def load(self, rows: dict[str, Any]) -> None:
        self._latest_number, self._updates = rows["latest_number"], rows["updates"]
        self.is_switched_off = rows["is_switched_off"]
        for due_at, row in rows["due"]:
            self._put(due_at, Delivery(**row))

    def start(self) -> None:
        """Send what waits since before the start. Needs a running event loop."""
        if self._due:
            self._wake()

    def attempts_of(self, invoice_id: int | None) -> list[dict[str, Any]]:
        """Oldest first."""
        return [
            asdict(attempt)
            for attempt in self.attempts
            if invoice_id is None or attempt.invoice_id == invoice_id
        ]

    def _put(self, due_at: float, delivery: Delivery) -> None:
        heappush(self._due, (due_at, next(self._turns), delivery))

    def _wake(self) -> None:
        self._changed.set()
        if self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._send_for_ever())

    async def _send_for_ever(self) -> None:
        while True:
            self._changed.clear()
            if not self.is_held:
                self._start_due()
            await self._wait()

    async def _wait(self) -> None:
        """Until something changes, or the next event is due."""
        changed = asyncio.ensure_future(self._changed.wait())
        waits: set[asyncio.Future[Any]] = {changed}
        if self._due and not self.is_held and len(self._on_the_way) < AT_ONCE:
            waits.add(asyncio.ensure_future(self._clock.sleep_until(self._due[0][0])))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _start_due(self) -> None:
        now = self._clock.timestamp()
        while self._due and self._due[0][0] <= now and len(self._on_the_way) < AT_ONCE:
            delivery = heappop(self._due)[2]
            task = asyncio.get_running_loop().create_task(self._attempt(delivery, self.url))
            self._on_the_way[task] = delivery
            task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._on_the_way.pop(task, None)
        self._changed.set()

    async def _attempt(self, delivery: Delivery, url: str) -> None:
        composed = self._compose(delivery.invoice_id)
        if composed is None or not url or self.is_switched_off:
            return
        invoice, token = composed
        at = self._clock.timestamp()
        body = orjson.dumps(
            {
                "update_id": delivery.update_id,
                "update_type": "invoice_paid",
                "request_date": iso(at),
                "payload": invoice,
            }
        )
        headers = {
            "Content-Type": "application/json",
            "crypto-pay-api-signature": sign(body, token),
        }
        status, error = None, ""
        try:
            status = await post_within(ANSWER_TIMEOUT_S, url, body, headers)
        except PostFailed as failure:
            error = str(failure)
        self._ended(delivery, at, status, error)

    def _ended(self, delivery: Delivery, at: float, status: int | None, error: str) -> None:
        next_at = None
        if status is not None and 200 <= status < 300:
            self.delivered += 1
        else:
            self.failed += 1
            if delivery.tries < len(WAITS_S):
                next_at = at + WAITS_S[delivery.tries]
                self._put(next_at, delivery)
            else:
                self.is_switched_off = True
                self._due.clear()
        delivery.tries += 1
        self.attempts.append(
            Attempt(
                delivery.invoice_id, delivery.update_id, delivery.tries, at, status, error, next_at
            )
        )


def sign(body: bytes, token: str) -> str:
    """The signature of a delivery, contract section 5."""
    key = hashlib.sha256(token.encode()).digest()
    return hmac.new(key, body, hashlib.sha256).hexdigest()
