"""The lane: one run claims due messages just in time, sends them in threads, writes their fates.

Only one run at a time exists in all clusters (its kind is single), so that a new run may take over
what a killed one was sending. It claims no more than it sends at once: a critical message that comes
in the meantime waits for nobody's pocket. While Telegram has asked to wait or is down, nothing is
claimed; after an outage getMe asks first, which costs no message a try and doubles none.
"""

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from django.conf import settings

from jobs.context import JobContext
from lib import clock
from lib.ids import uuid7
from notifications.telegram import errors, governor, lane
from notifications.telegram.alerts import message_failed
from notifications.telegram.availability import Availability
from notifications.telegram.lane import Claimed, Fate
from notifications.telegram.models import Chat
from notifications.telegram.sending import SENDERS, message_send

logger = logging.getLogger(__name__)

RUN_S = 20.0  # then the run makes way for a fresh one, so that a stop finds it short
SHORT = timedelta(seconds=0.05)  # a look at what is due costs more than to wait for so long
GATHER_S = 0.005  # answers that come so soon after one another are written together
DEDUP_TTL = timedelta(hours=24)

Sent = tuple[Fate, errors.TelegramError | None]


class Drain:
    """One run. Returns from `run` when nothing is due, when Telegram is away, or after RUN_S."""

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.id = uuid7()  # not that of the job: its next attempt is another run
        self.sent = self.failed = 0
        self._flying: dict[Future[Sent], Claimed] = {}
        self._threads = ThreadPoolExecutor(SENDERS, "telegram")
        self._until = time.monotonic() + RUN_S
        self._telegram = Availability()

    def run(self) -> timedelta | None:
        """Send what is due. Returns in how long to come again, None if nothing waits."""
        doubled = lane.messages_take_over()
        if doubled:
            logger.warning("%d messages may arrive twice: their sender was killed", doubled)
        again = self._next()
        if again is None or again > SHORT:
            return again  # above all, no probe is taken that would find nothing to send
        try:
            again = self._loop()
        finally:
            self._threads.shutdown(wait=True)
            self._land(timeout_s=0)
        return again

    def _loop(self) -> timedelta | None:
        while True:
            is_late = time.monotonic() > self._until or self.context.interrupt is not None
            away = None if is_late else self._telegram.away()
            room = 0 if is_late or away is not None else self._room()
            claimed = self._launch(room) if room else 0
            if self._flying:
                # A short look: critical messages may come while slow calls are on their way.
                has_more = 0 < room == claimed
                self._land(timeout_s=0 if has_more else SHORT.total_seconds())
            if self._flying:
                continue
            if away is not None:
                return away
            if is_late:
                return timedelta(0)
            if claimed < room:  # all that was due then is sent
                again = self._next()
                if again is None or again > SHORT:
                    return again

    def _next(self) -> timedelta | None:
        due = lane.next_due_at()
        if due is None:
            return None
        return max(due - clock.now(), timedelta(0))

    def _room(self) -> int:
        """How many may be claimed now."""
        return min(governor.pack(), settings.NOTIFICATION_BATCH_SIZE, SENDERS - len(self._flying))

    def _launch(self, room: int) -> int:
        """Claim what may be sent now and hand it to the threads. Returns how many were claimed."""
        claimed = lane.messages_claim(limit=room, run_id=self.id)
        if not claimed:
            return 0
        fresh = self._without_duplicates(claimed)
        while fresh and (pause := governor.take(len(fresh))) is not None:
            if pause > timedelta(seconds=2) or self.context.interrupt is not None:
                self._telegram.doubt()
                self._mark([Fate(m.id, "wait", wait=pause, reason="rate_limited") for m in fresh])
                return 0
            time.sleep(min(pause.total_seconds(), 0.1))  # the pace of the lane itself
        for message in fresh:
            self._flying[self._threads.submit(message_send, message)] = message
        return len(claimed)

    def _without_duplicates(self, claimed: list[Claimed]) -> list[Claimed]:
        fresh, doubles = [], []
        for message in claimed:
            holder = message.holder
            if message.dedup_key and holder is None:
                # Whoever was queued by us took its key then; what came by SQL takes it here.
                holder = lane.dedup_claim(message.dedup_key, message.id, DEDUP_TTL)
            if holder in {None, message.id}:
                fresh.append(message)
            else:
                doubles.append(
                    Fate(
                        message.id, "cancelled", reason="duplicate",
                        error=f"message {holder} with the same dedup key was there before",
                    )
                )  # fmt: skip
        self._mark(doubles)
        return fresh

    def _land(self, timeout_s: float) -> None:
        """Take back what has been answered and write it."""
        done, flying = wait(self._flying, timeout=timeout_s, return_when=FIRST_COMPLETED)
        if done and flying and timeout_s:
            done |= wait(flying, timeout=GATHER_S).done
        landed = [(self._flying.pop(future), *future.result()) for future in done]
        if not landed:
            return
        self._mark([fate for _, fate, _ in landed])
        for message, fate, exc in landed:
            self._learn(message, fate, exc)

    def _learn(self, message: Claimed, fate: Fate, exc: errors.TelegramError | None) -> None:
        """What an answer means for the lane as a whole."""
        self._telegram.learn(exc, has_answered=fate.reason != "internal")
        if isinstance(exc, errors.ChatMigrated):
            # The claim sends its other messages, also later ones, to the new id.
            Chat.objects.filter(pk=message.telegram_id).update(migrated_to=exc.new_chat_id)
        if fate.outcome == "sent":
            self.sent += 1
        elif fate.outcome == "failed":
            self.failed += 1
            message_failed(message, fate)

    def _mark(self, fates: list[Fate]) -> None:
        marked = lane.messages_mark(self.id, fates)
        for fate in fates:
            if fate.id not in marked:
                logger.warning("message %d was taken over by another run", fate.id)
