"""Sending one message, and what an answer of Telegram means for it. No database, so threads may call it."""

import logging
from datetime import timedelta
from functools import cache

from django.conf import settings

from jobs.faults import fault
from jobs.ladders import PROCESS_QUEUE, jittered
from lib.context import correlated
from notifications.telegram import errors, markup
from notifications.telegram.client import TelegramClient
from notifications.telegram.lane import Claimed, Fate, markup_read

logger = logging.getLogger(__name__)

SENDERS = 16  # calls at once in one process: 30/s stay possible while each takes half a second


@cache
def client() -> TelegramClient:
    """The one client of this process."""
    return TelegramClient(
        settings.TELEGRAM_API_URL, settings.TELEGRAM_BOT_TOKEN, read_timeout_s=20, pool_size=SENDERS
    )


def message_send(message: Claimed) -> tuple[Fate, errors.TelegramError | None]:
    """Send one claimed message. Gives its fate, and Telegram's error where the lane must know it.

    Never raises: what goes wrong on our side is a failed try of this message and stops no other.
    """
    with correlated(message.correlation_id or f"telegram-{message.id}"):
        try:
            parse_mode, note = _readable(message)
            fault("before_send")
            sent = client().send_message(
                chat_id=message.telegram_id,
                text=message.message,
                parse_mode=parse_mode,
                reply_markup=markup_read(message.reply_markup),
            )
            fault("after_send")
        except errors.TelegramError as exc:
            return fate_of(message.id, message.attempts, exc), exc
        except Exception as exc:
            logger.exception("message %d could not be sent", message.id)
            said = f"{type(exc).__name__}: {exc}"
            return _try_failed(message.id, message.attempts, said, "internal"), None
    return Fate(message.id, "sent", message_id=sent.message_id, error=note), None


def _readable(message: Claimed) -> tuple[str | None, str | None]:
    """The parse mode that works: broken markup that came by SQL is sent as the plain text it is."""
    text, parse_mode, note = message.message, message.parse_mode, None
    try:
        try:
            length = markup.validate(text, parse_mode)
        except markup.TextEmpty:
            raise
        except markup.MarkupInvalid as exc:
            parse_mode, note = None, f"sent as plain text: {exc}"
            length = markup.validate(text, parse_mode)
    except markup.TextEmpty as exc:
        raise errors.TextRefused(errors.TextReason.EMPTY, str(exc)) from None
    if length is not None and length > markup.TEXT_LIMIT:
        raise errors.TextRefused(
            errors.TextReason.TOO_LONG,
            f"the text has {length} characters, Telegram takes {markup.TEXT_LIMIT}",
        )
    return parse_mode, note


def fate_of(message_id: int, attempts: int, exc: errors.TelegramError) -> Fate:
    """What an error means for a message that had so many failed tries before."""
    text = str(exc)[:1000]
    match exc:
        case errors.ChatUnreachable() | errors.TextRefused():
            return Fate(message_id, "failed", error=text, reason=exc.reason.value)
        case errors.Refused():
            return Fate(message_id, "failed", error=text, reason="refused")
        case errors.RateLimited():
            return Fate(message_id, "wait", error=text, reason="rate_limited", wait=exc.retry_after)
        case errors.ChatMigrated():
            return Fate(message_id, "wait", error=text, reason="migrated", wait=timedelta(0))
        case errors.BotUnauthorized():
            # Nothing is wrong with the message: it waits until the token is put right.
            return Fate(
                message_id, "wait", error=text, reason="unauthorized", wait=timedelta(minutes=1)
            )
    is_unknown = isinstance(exc, errors.OutcomeUnknown)
    reason = "outcome_unknown" if is_unknown else "unavailable"
    return _try_failed(message_id, attempts, text, reason, is_unknown=is_unknown)


def _try_failed(
    message_id: int, attempts: int, error: str, reason: str, *, is_unknown: bool = False
) -> Fate:
    """A step up the ladder, or the end of it."""
    failures = attempts + 1
    if failures >= settings.NOTIFICATION_MAX_RETRIES:
        return Fate(message_id, "failed", error=error, reason=reason, is_unknown=is_unknown)
    steps = PROCESS_QUEUE.steps
    wait = jittered(steps[min(failures, len(steps)) - 1])
    return Fate(message_id, "retry", error=error, reason=reason, wait=wait, is_unknown=is_unknown)
