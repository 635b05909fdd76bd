"""One endpoint while a run holds its lane: what waits here, what is in flight, when more may go.

No I/O. The state that must outlive the run (Standing) is read with the lane and written with the
fates; the rest is how fast this endpoint answers just now.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from jobs.ladders import Delays, jittered
from notifications.webhooks.answers import Outcome, Verdict
from notifications.webhooks.wire import Reply

BREAKS_AFTER = 5  # requests in a row that found it down
OPEN_FIRST = timedelta(seconds=10)
OPEN_LONGEST = timedelta(minutes=5)
WARN_AT = (50, 70, 90)  # per cent of settings.WEBHOOK_PATIENCE
POCKET_S = 0.5  # work that is fetched ahead
POCKET_MOST = 64
SLOW_S = 2.0  # an endpoint whose request is older takes few of scarce threads
SLOW_IN_FLIGHT = 2
TOLERANCE = timedelta(seconds=0.2)  # the throttle may be ahead by as much: the run looks in steps
_SHORTEST_PAUSE = timedelta(seconds=1)


@dataclass(slots=True)
class Standing:
    """What a lane remembers: the columns of Lane of the same names."""

    failures: int = 0
    open_until: datetime | None = None
    paused_until: datetime | None = None
    next_send_at: datetime | None = None
    failing_since: datetime | None = None
    warned: int = 0
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """What people have set: the columns of Endpoint. secrets: all that sign just now; none if they cannot
    be read."""

    endpoint_id: UUID
    url: str
    secrets: tuple[str, ...]
    rate_per_minute: int | None
    max_in_flight: int
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that may be sent."""

    id: int
    event_id: UUID
    body: str
    tries: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Fate:
    """One attempt as it is written: the columns of Attempt, and what becomes of the delivery."""

    delivery_id: int
    endpoint_id: UUID
    outcome: Outcome
    state: str
    spent: int  # tries of the ladder: 0 or 1
    next_attempt_at: datetime
    number: int
    at: datetime
    duration_ms: int
    status: int | None
    error: str
    url: str
    response_type: str
    response_body: str


@dataclass(slots=True)
class Flow:
    """The lane in memory."""

    config: Config
    standing: Standing
    waiting: deque[Due] = field(default_factory=deque)
    in_flight: dict[int, float] = field(
        default_factory=dict
    )  # delivery -> when it began, monotonic
    unwritten: set[int] = field(default_factory=set)
    has_more: bool = True  # the last fetch came back full
    warn: int = 0  # a level that was reached and is not announced yet
    end: str = ""  # why the endpoint is to be disabled: "gone" or "failing"
    window: float = 0
    mean_s: float = 0

    def __post_init__(self) -> None:
        # Who failed last, or was never reached, gets one request; each success allows one more.
        is_known = self.standing.last_success_at is not None and not self.standing.failing_since
        self.window = min(4, self.config.max_in_flight) if is_known else 1

    @property
    def is_idle(self) -> bool:
        """Nothing here and nothing to be written."""
        return not (self.waiting or self.in_flight or self.unwritten)

    @property
    def is_busy(self) -> bool:
        """Answers at once, and has more to get than a pocket holds: this one costs us work."""
        return self.has_more and bool(self.waiting) and 0 < self.mean_s < SLOW_S

    def known(self) -> Iterator[int]:
        """Ids of deliveries that must not be fetched again."""
        yield from (due.id for due in self.waiting)
        yield from self.in_flight
        yield from self.unwritten

    def wants(self, now: datetime) -> int:
        """How many more deliveries are worth fetching."""
        if self.end or self.closed_until(now) is not None:
            return 0
        pocket = self.window * 2
        if self.mean_s:
            pocket = max(pocket, self.window * POCKET_S / self.mean_s)
        if self.config.rate_per_minute:
            pocket = min(pocket, max(1, self.config.rate_per_minute / 60 * POCKET_S))
        short = int(min(pocket, POCKET_MOST)) - len(self.waiting)
        # A pocket is filled when it is half empty: each fetch costs a query.
        return short if short * 2 > min(pocket, POCKET_MOST) or not self.waiting else 0

    def closed_until(self, now: datetime) -> datetime | None:
        """Until when nothing may be sent, because it is down or has asked to wait."""
        moments = (self.standing.open_until, self.standing.paused_until)
        return max((moment for moment in moments if moment and moment > now), default=None)

    def launch(self, now: datetime, monotonic: float, *, is_scarce: bool) -> Due | None:
        """Take the next delivery if one may be sent now. is_scarce: threads are few."""
        if not self.waiting or len(self.in_flight) >= int(self.window):
            return None
        if self.end or self.closed_until(now) is not None:
            return None
        if is_scarce and len(self.in_flight) >= SLOW_IN_FLIGHT and self._is_slow(monotonic):
            return None
        if not self._throttle(now):
            return None
        due = self.waiting.popleft()
        self.in_flight[due.id] = monotonic
        return due

    def _is_slow(self, monotonic: float) -> bool:
        return monotonic - min(self.in_flight.values()) > SLOW_S

    def _throttle(self, now: datetime) -> bool:
        """Take a place in the even row that rate_per_minute allows."""
        if not self.config.rate_per_minute:
            return True
        at = self.standing.next_send_at or now
        if at - now > (
            TOLERANCE
            if self.config.rate_per_minute * TOLERANCE.total_seconds() > 60
            else timedelta(0)
        ):
            return False
        self.standing.next_send_at = (
            max(at, now) + timedelta(minutes=1) / self.config.rate_per_minute
        )
        return True

    def settle(
        self, due: Due, reply: Reply, verdict: Verdict, *, began: datetime, now: datetime
    ) -> Fate:
        """Learn from an answer; returns the fate to be written."""
        self.in_flight.pop(due.id)
        self.unwritten.add(due.id)
        self.mean_s = (
            self.mean_s * 0.8 + reply.duration_s * 0.2 if self.mean_s else reply.duration_s
        )
        if verdict.outcome == "delivered":
            self._succeeded(now)
        else:
            self._failed(verdict, now)
        state, next_at = self._next(due, verdict, now)
        return Fate(
            delivery_id=due.id,
            endpoint_id=self.config.endpoint_id,
            outcome=verdict.outcome,
            state=state,
            spent=int(verdict.outcome != "throttled"),
            next_attempt_at=next_at,
            number=due.attempts + 1,
            at=began,
            duration_ms=round(reply.duration_s * 1000),
            status=reply.status,
            error=verdict.error[:300],
            url=self.config.url,
            response_type=_storable(reply.headers.get("Content-Type", ""))[:100],
            response_body=_storable(reply.body.decode("utf-8", "replace")),
        )

    def _succeeded(self, now: datetime) -> None:
        standing = self.standing
        standing.failures, standing.open_until, standing.failing_since = 0, None, None
        standing.warned, standing.last_success_at, standing.last_error = 0, now, ""
        self.warn = 0
        self.window = min(self.window + 1, self.config.max_in_flight)

    def _failed(self, verdict: Verdict, now: datetime) -> None:
        standing = self.standing
        standing.last_failure_at, standing.last_error = now, verdict.error[:300]
        standing.failing_since = standing.failing_since or now
        if verdict.wait is not None:
            until = now + max(verdict.wait, _SHORTEST_PAUSE)
            standing.paused_until = max(standing.paused_until or until, until)
        if verdict.is_down:
            self._was_down(now)
        if verdict.is_gone:
            self.end = "gone"
        else:
            self._lose_patience(now - standing.failing_since)

    def _was_down(self, now: datetime) -> None:
        standing = self.standing
        self.window = 1
        if standing.open_until is not None and standing.open_until > now:
            return  # in flight when the breaker opened: it is known already
        standing.failures += 1
        if standing.failures >= BREAKS_AFTER:
            steps = min(standing.failures - BREAKS_AFTER, 10)
            standing.open_until = now + jittered(min(OPEN_FIRST * 2**steps, OPEN_LONGEST))

    def _lose_patience(self, failing_for: timedelta) -> None:
        share = failing_for / settings.WEBHOOK_PATIENCE * 100
        if share >= 100:
            self.end = "failing"
            return
        level = max((level for level in WARN_AT if level <= share), default=0)
        if level > self.standing.warned:
            self.standing.warned = self.warn = level

    def _next(self, due: Due, verdict: Verdict, now: datetime) -> tuple[str, datetime]:
        """(state of the delivery, when it is tried again)."""
        if verdict.outcome == "delivered":
            return "delivered", now
        if verdict.outcome == "throttled":
            return "pending", now + max(verdict.wait or _SHORTEST_PAUSE, _SHORTEST_PAUSE)
        delay = Delays(settings.WEBHOOK_RETRY_DELAYS).after(due.tries + 1)
        if delay is None or verdict.is_gone:
            return "failed", now
        return "pending", now + max(delay, verdict.wait or timedelta(0))


def _storable(text: str) -> str:
    """Postgres stores no NUL, and nobody reads one."""
    return text.replace("\x00", "�")
