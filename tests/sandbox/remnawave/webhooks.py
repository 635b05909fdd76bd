"""Webhooks of the panel: signed, at once, in parallel, 3 more tries 5 s apart, then lost."""

import asyncio
import hashlib
import hmac
import os
from collections import Counter, deque
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

import orjson

from tests.sandbox.clock import SandboxClock
from tests.sandbox.remnawave.background import Background
from tests.sandbox.remnawave.times import iso
from tests.sandbox.sending import post

RETRIES = 3
RETRY_S = 5.0
PARALLEL = 100
ANSWER_TIMEOUT_S = 10.0
KEEP_DELIVERIES = 20_000


@dataclass(slots=True)
class Delivery:
    """One event on its way to one address. state: pending, delivered, lost or dropped."""

    number: int
    event: str
    url: str
    user_id: int | None
    timestamp: str
    body: bytes
    state: str = "pending"
    attempts: int = 0
    status: int | None = None
    error: str | None = None

    def as_json(self, *, with_body: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.number,
            "event": self.event,
            "url": self.url,
            "user_id": self.user_id,
            "timestamp": self.timestamp,
            "state": self.state,
            "attempts": self.attempts,
            "status": self.status,
            "error": self.error,
        }
        return shown | ({"body": self.body.decode()} if with_body else {})


@dataclass(slots=True)
class Receivers:
    """Where events go. lost_share of them never leave; jitter_ms delays each by up to that much,
    so that their order is lost as it is in reality. Both are drawn from the seed."""

    urls: tuple[str, ...] = ()
    secret: str = ""
    muted: frozenset[str] = frozenset()
    lost_share: float = 0.0
    jitter_ms: float = 0.0
    seed: int = 0


class WebhookBook:
    """Sends events and remembers what became of them.

    counts are events by name, also those that nobody wanted; states are deliveries by state.
    """

    def __init__(self, clock: SandboxClock, background: Background) -> None:
        self._clock = clock
        self._background = background
        self.reset()

    def reset(self) -> None:
        self.counts: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self._deliveries: deque[Delivery] = deque(maxlen=KEEP_DELIVERIES)
        self._numbers = count(1)
        self._slots = asyncio.Semaphore(PARALLEL)
        self.direct(_first_receivers())

    def direct(self, receivers: Receivers) -> None:
        """Send events there from now on."""
        self.receivers = receivers
        self._draw = Random(receivers.seed)

    def wants(self, event: str) -> bool:
        """Whether anybody hears of an event; all of them are counted."""
        self.counts[event] += 1
        return bool(self.receivers.urls) and event not in self.receivers.muted

    def send(
        self,
        scope: str,
        event: str,
        content: dict[str, Any],
        *,
        user_id: int | None = None,
        meta: dict[str, Any] | None = None,
    ) -> None:
        """Start the delivery to all addresses. Only events of users carry a meta."""
        timestamp = iso(round(self._clock.timestamp() * 1000))
        envelope = {"scope": scope, "event": event, "timestamp": timestamp, "data": content}
        body = orjson.dumps(envelope | ({"meta": meta} if scope == "user" else {}))
        for url in self.receivers.urls:
            self._start(Delivery(next(self._numbers), event, url, user_id, timestamp, body))

    def repeat(self, number: int) -> bool:
        """Deliver the same bytes once more; False if they are no longer known."""
        known = next((item for item in self._deliveries if item.number == number), None)
        if known is None:
            return False
        self._start(
            Delivery(
                next(self._numbers),
                known.event,
                known.url,
                known.user_id,
                known.timestamp,
                known.body,
            )
        )
        return True

    def read(
        self,
        *,
        event: str | None = None,
        user_id: int | None = None,
        state: str | None = None,
        limit: int = 1000,
    ) -> list[Delivery]:
        """Oldest first, at most the newest limit."""
        chosen = [
            item
            for item in self._deliveries
            if (event is None or item.event == event)
            and (user_id is None or item.user_id == user_id)
            and (state is None or item.state == state)
        ]
        return chosen[max(len(chosen) - limit, 0) :]

    def _start(self, delivery: Delivery) -> None:
        self._deliveries.append(delivery)
        self.states[delivery.state] += 1
        receivers = self.receivers
        if receivers.lost_share and self._draw.random() < receivers.lost_share:
            self._end(delivery, "dropped")
            return
        delay_s = self._draw.random() * receivers.jitter_ms / 1000 if receivers.jitter_ms else 0.0
        self._background.start(self._deliver(delivery, receivers.secret, delay_s))

    async def _deliver(self, delivery: Delivery, secret: str, delay_s: float) -> None:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Remnawave",
            "X-Remnawave-Signature": sign(delivery.body, secret),
            "X-Remnawave-Timestamp": delivery.timestamp,
        }
        if delay_s:
            await asyncio.sleep(delay_s)
        for attempt in range(1 + RETRIES):
            if attempt:
                await self._clock.sleep(RETRY_S)
            async with self._slots:
                try:
                    async with asyncio.timeout(ANSWER_TIMEOUT_S):
                        delivery.status = await post(delivery.url, delivery.body, headers)
                    delivery.error = None
                except (OSError, EOFError, ValueError, TimeoutError) as error:
                    delivery.status, delivery.error = None, f"{type(error).__name__}: {error}"
            delivery.attempts += 1  # after the outcome, so that whoever sees it may move the clock
            if delivery.status is not None and 200 <= delivery.status < 300:
                self._end(delivery, "delivered")
                return
        self._end(delivery, "lost")

    def _end(self, delivery: Delivery, state: str) -> None:
        self.states[delivery.state] -= 1
        self.states[state] += 1
        delivery.state = state


def _first_receivers() -> Receivers:
    """REMNAWAVE_WEBHOOK_URL and REMNAWAVE_WEBHOOK_SECRET, if they are set; else nobody."""
    url, secret = (os.environ.get(f"REMNAWAVE_WEBHOOK_{name}") for name in ("URL", "SECRET"))
    return Receivers((url,), secret) if url and secret else Receivers()


def sign(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
