"""Reading an answer of the Bot API: its result, or the error that it means.

Source: Bot API 10.1 (2026-06-11); wording of errors as in tdlib/telegram-bot-api 10.0 (2026-05-07).
The texts are no stable interface, so the code decides first, and a text only where it must.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from lib.http import Answer, BadAnswer
from notifications.telegram.errors import (
    BotUnauthorized,
    ChatMigrated,
    ChatReason,
    ChatUnreachable,
    OutcomeUnknown,
    RateLimited,
    RequestRefused,
    TelegramError,
    TelegramUnavailable,
    TextReason,
    TextRefused,
)

DEFAULT_PAUSE = timedelta(seconds=5)  # after a 429 that does not say for how long
_DESCRIPTION_LIMIT = 300

_CLOSED_CHATS = {
    "blocked by the user": ChatReason.BLOCKED,
    "user is deactivated": ChatReason.DEACTIVATED,
    "can't initiate conversation": ChatReason.NOT_STARTED,
    "can't send messages to the bot": ChatReason.TO_BOT,
    "can't send messages to bots": ChatReason.TO_BOT,
    "was kicked from": ChatReason.KICKED,
    "is not a member of": ChatReason.KICKED,
    "chat was deleted": ChatReason.KICKED,
}
_BAD_TEXTS = {
    "can't parse entities": TextReason.CANNOT_PARSE,
    "is too long": TextReason.TOO_LONG,
    "text is empty": TextReason.EMPTY,
    "text must be non-empty": TextReason.EMPTY,
}


def result_of(answer: Answer, mask: Callable[[str], str] = str) -> Any:
    """What the method gave back. Raises the TelegramError that the answer means.

    mask hides what must not be kept of the description: a proxy may echo the path, token included.
    """
    body = _object(answer)
    if 200 <= answer.status < 300 and body is not None and body.get("ok") is True:
        return body.get("result")
    raise _error(answer, body, _description(answer, body, mask))


def _object(answer: Answer) -> dict[str, Any] | None:
    """The JSON object of the body; None for the HTML of somebody in between."""
    try:
        body = answer.json()
    except BadAnswer:
        return None
    return body if isinstance(body, dict) else None


def _error(answer: Answer, body: dict[str, Any] | None, description: str) -> TelegramError:
    found = body.get("error_code") if body is not None else None
    code = found if isinstance(found, int) else answer.status
    if code in {401, 404}:
        return BotUnauthorized(description)
    if code == 429:
        return RateLimited(_pause(answer, body, description))
    if 400 <= code < 500:
        # Without JSON it is not Telegram that speaks but a proxy or a censor's page on the way; of
        # these only "too large" will not be different tomorrow.
        if body is None and code != 413:
            return TelegramUnavailable(description)
        return _refusal(code, body or {}, description)
    if code == 500 and "restart" in description.lower():
        return TelegramUnavailable(description)
    if 300 <= code < 400:
        return TelegramUnavailable(description)
    return OutcomeUnknown(description)


def _refusal(code: int, body: dict[str, Any], description: str) -> TelegramError:
    new_chat_id = _parameters(body).get("migrate_to_chat_id")
    if isinstance(new_chat_id, int):
        return ChatMigrated(new_chat_id)
    said = description.lower()
    if code == 400 and "chat not found" in said:
        return ChatUnreachable(ChatReason.NOT_FOUND, description)
    if code == 400:
        for text, text_reason in _BAD_TEXTS.items():
            if text in said:
                return TextRefused(text_reason, description)
    if code == 403:
        for text, chat_reason in _CLOSED_CHATS.items():
            if text in said:
                return ChatUnreachable(chat_reason, description)
    return RequestRefused(description)


def _pause(answer: Answer, body: dict[str, Any] | None, description: str) -> timedelta:
    seconds = _parameters(body or {}).get("retry_after")
    if isinstance(seconds, int) and seconds > 0:
        return timedelta(seconds=seconds)
    said = re.search(r"retry after (\d{1,6})", description, re.IGNORECASE)
    written = said[1] if said else answer.headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,6}", written) and int(written) > 0:
        return timedelta(seconds=int(written))
    return DEFAULT_PAUSE


def _parameters(body: dict[str, Any]) -> dict[str, Any]:
    parameters = body.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _description(answer: Answer, body: dict[str, Any] | None, mask: Callable[[str], str]) -> str:
    if body is None:
        return f"HTTP {answer.status} without JSON"
    said = body.get("description")
    # Masked before it is cut, so that no half of a secret is left over.
    return mask(said)[:_DESCRIPTION_LIMIT] if isinstance(said, str) else f"HTTP {answer.status}"
