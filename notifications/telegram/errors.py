"""What Telegram may answer instead of doing it, told apart by what the sender has to do.

TelegramError
  Refused                never send this again as it is
    ChatUnreachable      nothing reaches this chat; `reason` says why
    TextRefused          this text reaches nobody; `reason` says why
    RequestRefused       anything else that Telegram calls our mistake
  ChatMigrated           send it once more, to `new_chat_id`, and remember that id
  RateLimited            pause every sender of this bot for `retry_after`, then send it again
  BotUnauthorized        stop the bot and tell a person
  TelegramUnavailable    it surely did not arrive: send it again later
  OutcomeUnknown         it may have arrived: there is no way to ask, so policy decides
"""

from datetime import timedelta
from enum import StrEnum


class TelegramError(Exception):
    """Telegram did not do what it was asked for."""

    def __init__(self, description: str = "") -> None:
        sentence = (self.__doc__ or "").strip()
        super().__init__(f"{sentence[:-1]}: {description}" if description else sentence)
        self.description = description


class Refused(TelegramError):
    """Telegram refused for good."""


class ChatReason(StrEnum):
    """Why nothing reaches a chat."""

    BLOCKED = "blocked"  # by the user; /start or unblocking opens it again
    DEACTIVATED = "deactivated"  # the account is gone
    NOT_STARTED = "not_started"  # the user has never pressed Start
    NOT_FOUND = "not_found"  # the bot has never met this id: never started, or a wrong number
    KICKED = "kicked"  # the bot is out of the group, or the group is gone
    TO_BOT = "to_bot"  # the id is that of a bot


class ChatUnreachable(Refused):
    """Nothing reaches this chat."""

    def __init__(self, reason: ChatReason, description: str = "") -> None:
        super().__init__(description or reason.value)
        self.reason = reason


class TextReason(StrEnum):
    """Why a text reaches nobody."""

    CANNOT_PARSE = "cannot_parse"
    TOO_LONG = "too_long"
    EMPTY = "empty"


class TextRefused(Refused):
    """This text reaches nobody."""

    def __init__(self, reason: TextReason, description: str = "") -> None:
        super().__init__(description or reason.value)
        self.reason = reason


class RequestRefused(Refused):
    """Telegram refused the request."""


class ChatMigrated(TelegramError):
    """The group has become a supergroup with a new id."""

    def __init__(self, new_chat_id: int) -> None:
        super().__init__(str(new_chat_id))
        self.new_chat_id = new_chat_id


class RateLimited(TelegramError):
    """Telegram asks to wait."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"{retry_after.total_seconds():g} s")
        self.retry_after = retry_after


class BotUnauthorized(TelegramError):
    """The token of the bot is revoked or malformed, or the address is not that of a Bot API."""


class TelegramUnavailable(TelegramError):
    """Telegram cannot be reached or does not work; nothing was delivered."""


class OutcomeUnknown(TelegramError):
    """The request was sent, but how it ended is not known; it may have been delivered."""
