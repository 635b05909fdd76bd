"""The Telegram lane of the broadcasts: one run at a time sends for all of them, in turn.

It shares the pace of the bot with the queue of messages to single people, and lets those go first: while
one is due, a broadcast sends a pack each second at most. It asks for leave before it claims, and sends what
it has claimed at once.
"""

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from jobs.context import JobContext
from jobs.engine.ends import insist
from lib import clock
from lib.ids import uuid7
from notifications.broadcasts.models import Broadcast, Channel
from notifications.broadcasts.stepping import broadcast_step, broadcast_stop
from notifications.broadcasts.telegram_rows import (
    Settled,
    chat_moved,
    chats_learn,
    next_at_of,
    rows_claim,
    rows_settle,
    rows_take_over,
    sending_now,
)
from notifications.broadcasts.telegram_send import Flight, flight_send
from notifications.broadcasts.texts import Text, language_of, text_for
from notifications.telegram import errors, governor, lane
from notifications.telegram.availability import Availability
from notifications.telegram.sending import SENDERS

logger = logging.getLogger(__name__)

RUN_S = 20.0  # then the run makes way for a fresh one, so that a stop finds it short
SHORT_S = 0.05
LOOK_S = 0.5  # how often it looks for other broadcasts, and again at one that had nothing to send
YIELD_S = 1.0  # how long a message to a single person holds a broadcast up


def lane_is_off() -> str:
    """Why this worker sends nothing to Telegram; empty if it does. Others may have other settings."""
    if not settings.NOTIFICATION_ENABLED:
        return "this worker is told to send nothing (NOTIFICATION_ENABLED)"
    return "" if settings.TELEGRAM_BOT_TOKEN else "this worker has no TELEGRAM_BOT_TOKEN"


Landed = tuple[Settled, errors.TelegramError | None]


class BroadcastLane:
    """One run. `run` returns when nothing is left, when Telegram is away, or after RUN_S."""

    def __init__(self, context: JobContext | None) -> None:
        self.context = context
        self.id = uuid7()
        self.sent = 0
        self._flying: dict[Future[Landed], Flight] = {}
        self._threads = ThreadPoolExecutor(SENDERS, "broadcast")
        self._until = time.monotonic() + RUN_S
        self._telegram = Availability()
        self._texts: dict[tuple[UUID, int, str], Text] = {}
        self._waiting: list[UUID] = []  # broadcasts, in the order of their turns
        self._empty_until: dict[UUID, float] = {}
        self._looked_at = self._packed_at = self._paced_until = float("-inf")

    def run(self) -> timedelta | None:
        """Send. Returns in how long to come again, None if nothing waits."""
        if lost := rows_take_over():
            logger.warning(
                "%d messages of broadcasts may have arrived: their sender was killed", lost
            )
        try:
            return self._loop()
        finally:
            self._threads.shutdown(wait=True)
            self._land(timeout_s=0)
            self._step()

    def _loop(self) -> timedelta | None:
        while True:
            is_late = time.monotonic() > self._until or self._is_interrupted()
            away = None if is_late else self._telegram.away()
            claimed = 0 if is_late or away is not None else self._launch()
            if self._flying:
                self._land(timeout_s=0 if claimed else SHORT_S)
            elif away is not None:
                return away
            elif is_late:
                return timedelta(0)
            elif not claimed and not self._is_paced():
                self._step()
                again = self._next()
                if again is None or again.total_seconds() > LOOK_S:
                    return again
                time.sleep(SHORT_S)  # the pace of the lane itself

    def _is_interrupted(self) -> bool:
        return self.context is not None and self.context.interrupt is not None

    def _launch(self) -> int:
        """Claim what may be sent now and hand it to the threads. Returns how many."""
        room = min(governor.pack(), SENDERS - len(self._flying))
        broadcast_id = self._turn() if room > 0 else None
        if broadcast_id is None or self._others_first():
            return 0
        if (pause := governor.take(room)) is not None:
            if pause.total_seconds() > 1:
                self._telegram.doubt()
            self._paced_until = time.monotonic() + min(pause.total_seconds(), SHORT_S)
            if not self._flying:
                time.sleep(min(pause.total_seconds(), SHORT_S))
            return 0
        begun = self._packed_at = time.monotonic()
        row, claimed = rows_claim(broadcast_id, self.id, room)
        if row is None or not claimed:
            self._empty_until[broadcast_id] = begun + LOOK_S
            return 0
        for each in claimed:
            flight = Flight(row.pk, each, self._text(row, each.language), begun)
            self._flying[self._threads.submit(flight_send, flight)] = flight
        return len(claimed)

    def _is_paced(self) -> bool:
        """Is there more to send, which only waits for the pace or for messages to single people?"""
        return time.monotonic() < self._paced_until

    def _turn(self) -> UUID | None:
        """Whose turn it is: each broadcast sends a pack, then the next one."""
        now = time.monotonic()
        if now - self._looked_at > LOOK_S:
            self._looked_at = now
            active = sending_now()
            known = [each for each in self._waiting if each in active]
            self._waiting = known + [each for each in active if each not in known]
        for each in list(self._waiting):
            if self._empty_until.get(each, 0) <= now:
                self._waiting.remove(each)
                self._waiting.append(each)
                return each
        return None

    def _others_first(self) -> bool:
        """Must messages to single people go first? A broadcast never stands still because of them."""
        now = time.monotonic()
        if now - self._packed_at > YIELD_S:
            return False
        due = lane.next_due_at()
        if due is None or due > clock.now():
            return False
        self._paced_until = now + SHORT_S
        if not self._flying:
            time.sleep(SHORT_S)
        return True

    def _text(self, row: Broadcast, language: str) -> Text:
        key = (row.pk, row.version, language_of(row, language))
        if key not in self._texts:
            self._texts[key] = text_for(row, Channel.TELEGRAM, language)
        return self._texts[key]

    def _land(self, timeout_s: float) -> None:
        """Take back what has been answered and write it."""
        done, _ = wait(self._flying, timeout=timeout_s, return_when=FIRST_COMPLETED)
        landed = [(self._flying.pop(future), *future.result()) for future in done]
        if not landed:
            return
        written: set[int] = set()
        # What Telegram said is known here alone: a database that is away for a moment is waited for.
        insist(lambda: written.update(rows_settle(self.id, [each for _, each, _ in landed])))
        self.sent += sum(s.fate == "sent" and s.id in written for _, s, _ in landed)
        for _, settled, _ in landed:
            if settled.id not in written:
                logger.warning("row %d of a broadcast was taken over by another run", settled.id)
        self._chats(landed)
        for flight, settled, exc in landed:
            self._learn(flight, settled, exc)

    def _chats(self, landed: list[tuple[Flight, Settled, errors.TelegramError | None]]) -> None:
        chats_learn(
            [flight.row.telegram_id for flight, settled, _ in landed if settled.fate == "sent"],
            [
                (flight.row.telegram_id, settled.reason)
                for flight, settled, exc in landed
                if isinstance(exc, errors.ChatUnreachable)
            ],
        )

    def _learn(self, flight: Flight, settled: Settled, exc: errors.TelegramError | None) -> None:
        """What an answer means for the lane as a whole."""
        if settled.fate == "pending":
            self._empty_until.pop(flight.broadcast_id, None)
        has_answered = exc is not None or settled.fate == "sent"
        self._telegram.learn(exc, has_answered=has_answered)
        if isinstance(exc, errors.ChatMigrated):
            chat_moved(flight.row.telegram_id, exc.new_chat_id)
        elif isinstance(exc, errors.TextRefused):
            broadcast_stop(flight.broadcast_id, f"Telegram refuses the text: {exc.description}")

    def _step(self) -> None:
        for broadcast_id in sending_now():
            if broadcast_step(broadcast_id):
                self._empty_until.pop(broadcast_id, None)

    def _next(self) -> timedelta | None:
        """In how long something may be sent again."""
        active = sending_now()
        if any(self._empty_until.get(each, 0) <= time.monotonic() for each in active):
            return timedelta(0)
        due = next_at_of(active)
        return None if due is None else max(due - clock.now(), timedelta(0))
