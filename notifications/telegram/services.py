"""Writing to the Telegram queue: queue, retry and cancel messages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from jobs.rows import row_insert
from lib import clock
from lib.context import correlation_id
from lib.errors import DomainError, InputInvalid, NotFound
from notifications.telegram import lane, markup
from notifications.telegram.keyboards import keyboard_check
from notifications.telegram.models import QueuedMessage

PARSE_MODES = ("HTML", "MarkdownV2", "Markdown", None)
DEDUP_TTL = timedelta(hours=24)
MESSAGE = "telegram message"  # what the audit log calls it


class TextInvalid(InputInvalid):
    """Telegram would refuse the text."""

    code = "invalid_text"


class MessageNotWaiting(DomainError):
    """Only a waiting message that is not being sent just now can be cancelled."""

    code = "message_not_waiting"


class MessageNotFailed(DomainError):
    """Only a failed or cancelled message can be tried again."""

    code = "message_not_failed"


def text_check(text: str, parse_mode: str | None) -> None:
    """Raise TextInvalid with the reason if Telegram would refuse the text."""
    if parse_mode not in PARSE_MODES:
        raise TextInvalid("parse_mode must be HTML, MarkdownV2, Markdown or null")
    if "\x00" in text:
        raise TextInvalid("the text holds a NUL character")
    try:
        length = markup.validate(text, parse_mode)
    except markup.MarkupInvalid as exc:
        raise TextInvalid(str(exc)) from None
    if length is not None and length > markup.TEXT_LIMIT:
        raise TextInvalid(f"the text has {length} characters; Telegram takes {markup.TEXT_LIMIT}")
    if len(text) > 8 * markup.TEXT_LIMIT:
        raise TextInvalid("the text is too long")


def chat_check(telegram_id: int) -> None:
    """Raise InputInvalid unless it can be the id of a chat."""
    if not -(2**63) <= telegram_id < 2**63 or telegram_id == 0:
        raise InputInvalid("telegram_id must be a number that Telegram could have given")


def message_queue(
    *,
    telegram_id: int,
    message: str,
    notification_type: str = "message",
    parse_mode: str | None = "HTML",
    priority: int = 2,
    scheduled_at: datetime | None = None,
    dedup_key: str | None = None,
    dedup_ttl: timedelta = DEDUP_TTL,
    reply_markup: dict[str, Any] | None = None,
    by: Account = None,
) -> tuple[QueuedMessage, bool]:
    """Queue a message. Returns it, and whether it was there before (same dedup key within its TTL).

    by: the person who wrote it by hand, which is then in the audit log. reply_markup: an inline
    keyboard (keyboards.py).
    Raises TextInvalid, InputInvalid, KeyboardInvalid. Repeat: with a dedup key a second call finds
    the first message.
    """
    text_check(message, parse_mode)
    if reply_markup is not None:
        keyboard_check(reply_markup)
    if priority not in range(4):
        raise InputInvalid("priority must be 0 (critical), 1, 2 or 3 (low)")
    chat_check(telegram_id)
    with transaction.atomic(savepoint=False):
        row = row_insert(
            QueuedMessage(
                telegram_id=telegram_id,
                message=message,
                notification_type=notification_type,
                parse_mode=parse_mode,
                priority=priority,
                scheduled_at=scheduled_at or clock.now(),
                dedup_key=dedup_key,
                reply_markup=reply_markup,
                correlation_id=correlation_id.get() or None,
            )
        )
        if dedup_key:
            holder = lane.dedup_claim(dedup_key, row.pk, dedup_ttl)
            if holder is not None:
                row.delete()
                return QueuedMessage.objects.get(pk=holder), True
        if by is not None:
            audit_write(by, "telegram.send", MESSAGE, row.pk, chat=telegram_id)
    return row, False


def message_retry(*, message_id: int, by: Account) -> None:
    """Try a failed or cancelled message again, with all its tries anew. Raises MessageNotFailed.

    What was dropped as a duplicate is then sent beside the other one: a person has asked for it.
    """
    if not messages_retry(message_ids=[message_id], by=by):
        raise _refusal(message_id, MessageNotFailed)


def messages_retry(*, message_ids: Sequence[int], by: Account) -> set[int]:
    """Try those of them again that failed or were cancelled. Returns their ids."""
    with transaction.atomic():
        changed = _change(
            "status IN ('failed', 'cancelled')",
            """status = 'pending', attempts = 0, reason = NULL, failed_at = NULL,
            next_attempt_at = clock_timestamp() + %(shift)s,
            dedup_key = CASE WHEN reason = 'duplicate' THEN NULL ELSE dedup_key END""",
            message_ids,
        )
        if changed:
            sql.run("SELECT pg_notify('jobs_wake', 'telegram.drain_queue')")
        _audit(by, "telegram.retry", changed)
    return changed


def message_cancel(*, message_id: int, by: Account) -> None:
    """Never send a waiting message. Holds from the moment this returns. Raises MessageNotWaiting."""
    if not messages_cancel(message_ids=[message_id], by=by):
        raise _refusal(message_id, MessageNotWaiting)


def messages_cancel(*, message_ids: Sequence[int], by: Account) -> set[int]:
    """Never send those of them that wait and are not just being sent. Returns their ids."""
    with transaction.atomic():
        changed = _change(
            "status = 'pending' AND claimed_at IS NULL",
            "status = 'cancelled', reason = 'cancelled'",
            message_ids,
        )
        _audit(by, "telegram.cancel", changed)
    return changed


def _change(condition: str, change: str, message_ids: Sequence[int]) -> set[int]:
    """Change rows in the order of their ids, so that two callers never wait for each other."""
    changed = sql.rows(
        f"""WITH chosen AS (
            SELECT id FROM notification_queue WHERE id = ANY (%(ids)s) AND {condition}
            ORDER BY id FOR UPDATE
        ) UPDATE notification_queue q SET {change} FROM chosen c WHERE q.id = c.id RETURNING q.id""",
        {"ids": list(message_ids), "shift": clock.offset()},
    )
    return {row[0] for row in changed}


def _audit(by: Account, action: str, message_ids: set[int]) -> None:
    for message_id in sorted(message_ids):
        audit_write(by, action, MESSAGE, message_id)


def _refusal(message_id: int, refusal: type[DomainError]) -> DomainError:
    row = QueuedMessage.objects.filter(pk=message_id).only("status", "claimed_at").first()
    if row is None:
        return NotFound(f"there is no message {message_id}")
    state = "being sent just now" if row.claimed_at else row.status
    return refusal(f"message {message_id} is {state}")


def message_explain(row: QueuedMessage) -> str:
    """Why a message is where it is, in a sentence or two for a person. No query."""
    said = row.error_message or ""
    if row.status == "sent":
        at = f" at {row.sent_at:%F %T} UTC" if row.sent_at else ""
        number = f" as message {row.message_id}" if row.message_id else ""
        note = f" ({said})" if said else ""
        doubled = " It may have arrived twice." if row.maybe_doubled else ""
        return f"Sent{at}{number}{note}.{doubled}"
    if row.status == "failed":
        return f"{REASONS.get(row.reason or '', 'Gave up.')} {said}".strip()
    if row.status == "cancelled":
        return said if row.reason == "duplicate" and said else "Cancelled by a person."
    if row.claimed_at:
        return f"Is being sent since {row.claimed_at:%T} UTC."
    return f"{_why_waiting(row)} {said if row.reason else ''}".strip()


def _why_waiting(row: QueuedMessage) -> str:
    due = row.next_attempt_at or row.scheduled_at
    again = f"the next try is at {due:%F %T} UTC."
    if row.reason in _WAITS:
        return f"{_WAITS[row.reason]}; {again}"
    if row.attempts:
        return f"Failed {row.attempts} time{'s' if row.attempts > 1 else ''}; {again}"
    if row.scheduled_at > clock.now():
        return f"Waits for its time, {row.scheduled_at:%F %T} UTC."
    return f"Due since {row.scheduled_at:%F %T} UTC; waits for its turn."


# Why a message was not sent, by its `reason`: stable words, for people and programs.
REASONS = {
    "blocked": "The person has blocked the bot.",
    "deactivated": "The account of the person is gone.",
    "not_started": "The person has never pressed Start in the bot.",
    "not_found": "The bot has never met this id: the person never pressed Start, or the id is wrong.",
    "kicked": "The bot was thrown out of the group.",
    "to_bot": "The id belongs to a bot.",
    "cannot_parse": "The markup of the text is broken.",
    "too_long": "The text is too long.",
    "empty": "The text is empty.",
    "unavailable": "Telegram could not be reached, and all tries are used up.",
    "outcome_unknown": "Telegram did not answer; it may have arrived. All tries are used up.",
    "refused": "Telegram refused the request.",
    "internal": "Our own code failed on it; the log has the traceback.",
}
_WAITS = {
    "rate_limited": "Telegram asked the bot to wait",
    "unauthorized": "Telegram refuses the token of the bot",
    "migrated": "The group has a new id",
}
