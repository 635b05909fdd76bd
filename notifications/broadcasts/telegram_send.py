"""Sending one message of a broadcast, and what the answer means for its row. No database: threads call it."""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from jobs.faults import fault
from jobs.ladders import Delays
from lib.context import correlated
from notifications.broadcasts.control import START_WITHIN
from notifications.broadcasts.telegram_rows import Claimed, Settled
from notifications.broadcasts.texts import Text
from notifications.telegram import errors
from notifications.telegram.sending import client

logger = logging.getLogger(__name__)

LADDER = Delays("5s 30s 2m 10m")  # after these a message that surely did not arrive has failed
TOKEN_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Flight:
    """A claimed message on its way. begun: time.monotonic() from before its claim."""

    broadcast_id: UUID
    row: Claimed
    text: Text
    begun: float


def flight_send(flight: Flight) -> tuple[Settled, errors.TelegramError | None]:
    """Send it. Gives what became of the row, and Telegram's error where the lane must know it.

    Never raises. One that waited too long for its turn is given back unsent: a cancel relies on it.
    """
    row, broadcast_id = flight.row, flight.broadcast_id
    if row.is_gone:
        return Settled(broadcast_id, row.id, "failed", "gone"), None
    with correlated(f"broadcast-{broadcast_id}"):
        try:
            fault("before_send")
            if time.monotonic() - flight.begun > START_WITHIN.total_seconds():
                return Settled(broadcast_id, row.id, "pending"), None
            sent = client().send_message(
                chat_id=row.telegram_id, text=flight.text.text, parse_mode=flight.text.parse_mode,
                disable_notification=row.is_quiet,
            )  # fmt: skip
            fault("after_send")
        except errors.TelegramError as exc:
            return settled_of(flight, exc), exc
        except Exception as exc:
            logger.exception("row %d of broadcast %s could not be sent", row.id, broadcast_id)
            said = f"{type(exc).__name__}: {exc}"
            return Settled(broadcast_id, row.id, "unknown", "internal", said), None
    return Settled(broadcast_id, row.id, "sent", ref=str(sent.message_id)), None


def settled_of(flight: Flight, exc: errors.TelegramError) -> Settled:
    """What an error means for the row."""
    row, broadcast_id, said = flight.row, flight.broadcast_id, str(exc)
    match exc:
        case errors.ChatUnreachable():
            return Settled(broadcast_id, row.id, "failed", exc.reason.value, said)
        case errors.TextRefused():
            return Settled(
                broadcast_id, row.id, "pending"
            )  # it is the text: the broadcast is paused
        case errors.Refused():
            return Settled(broadcast_id, row.id, "failed", "refused", said)
        case errors.RateLimited():
            return Settled(broadcast_id, row.id, "pending", wait=exc.retry_after)
        case errors.ChatMigrated():
            return Settled(broadcast_id, row.id, "pending", chat=exc.new_chat_id)
        case errors.BotUnauthorized():
            return Settled(broadcast_id, row.id, "pending", wait=TOKEN_WAIT)
        case errors.OutcomeUnknown():
            return Settled(broadcast_id, row.id, "unknown", "outcome_unknown", said)
    wait = LADDER.after(row.attempts)
    if wait is None:
        return Settled(broadcast_id, row.id, "failed", "unavailable", said)
    return Settled(broadcast_id, row.id, "pending", "unavailable", said, wait=wait)
