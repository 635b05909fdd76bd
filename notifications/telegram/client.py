"""The calls of the Bot API that we use."""

import json
import mimetypes
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lib import http
from notifications.telegram.answers import result_of
from notifications.telegram.errors import OutcomeUnknown, RequestRefused, TelegramUnavailable

ChatId = int | str  # a number of up to 64 bits, or "@name" of a public channel or group
SERVICE = "telegram"
CALLBACK_TEXT_LIMIT = 200  # characters of what the presser of a button is shown


@dataclass(frozen=True)
class BotProfile:
    """Who the token belongs to."""

    id: int
    username: str
    first_name: str


@dataclass(frozen=True)
class SentMessage:
    """A delivered message. message_id is unique in its chat; date is Telegram's clock."""

    message_id: int
    date: datetime


@dataclass(frozen=True)
class SentDocument(SentMessage):
    """A delivered document. Sending file_id again needs no upload."""

    file_id: str


class TelegramClient:
    """One bot at one Bot API server. Source: Bot API 10.1 (2026-06-11).

    Every method makes one HTTP call and raises the errors of notifications.telegram.errors; none
    retries, none waits for a rate limit. There is no idempotency key: sending twice delivers twice.
    Safe to share among threads and over a fork. The token is in no error and no log.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 30.0,
        pool_size: int = 10,
        observe: Callable[[http.Call], None] | None = None,
    ) -> None:
        """base_url is what stands before /bot<token>/; pool_size is best the number of threads."""
        if re.search(r"[\s/?#]", token):
            raise ValueError("the token of the bot holds a character that no token has")
        self._token = token
        self._door = http.HttpDoor(
            SERVICE,
            f"{base_url.rstrip('/')}/bot{token}",
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            pool_size=pool_size,
            secrets=(token, token.partition(":")[2]),
            observe=observe,
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._door.close()

    def get_me(self) -> BotProfile:
        """Who we are: the check of a token and of the way to Telegram. Changes nothing.

        Raises BotUnauthorized, RateLimited, TelegramUnavailable.
        """
        try:
            profile = self._call("getMe", {})
            return BotProfile(profile["id"], profile.get("username", ""), profile["first_name"])
        except OutcomeUnknown as exc:
            raise TelegramUnavailable(exc.description) from exc
        except (TypeError, KeyError, AttributeError):
            raise TelegramUnavailable("getMe gave no bot") from None

    def send_message(
        self,
        *,
        chat_id: ChatId,
        text: str,
        parse_mode: str | None = "HTML",
        disable_notification: bool = False,
        reply_markup: Mapping[str, Any] | None = None,
        link_preview: bool = False,
        protect_content: bool = False,
        message_thread_id: int | None = None,
    ) -> SentMessage:
        """Send a text of 1 to 4096 seen characters. Not safe to repeat after OutcomeUnknown."""
        result = self._call(
            "sendMessage",
            {
                "chat_id": chat_id,
                "text": text,
                "parse_mode": parse_mode or None,
                "disable_notification": disable_notification or None,
                "reply_markup": None if reply_markup is None else dict(reply_markup),
                "link_preview_options": None if link_preview else {"is_disabled": True},
                "protect_content": protect_content or None,
                "message_thread_id": message_thread_id,
            },
        )
        return SentMessage(*_receipt(result))

    def send_document(
        self,
        *,
        chat_id: ChatId,
        document: bytes | str,
        filename: str = "document",
        caption: str | None = None,
        parse_mode: str | None = "HTML",
        disable_notification: bool = False,
        reply_markup: Mapping[str, Any] | None = None,
    ) -> SentDocument:
        """Send a file: its bytes (50 MB at most), a file_id, or an address that Telegram fetches.

        The caption has 1024 seen characters at most. Not safe to repeat after OutcomeUnknown.
        """
        parameters = {
            "chat_id": chat_id,
            "caption": caption,
            "parse_mode": (parse_mode or None) if caption else None,
            "disable_notification": disable_notification or None,
            "reply_markup": None if reply_markup is None else dict(reply_markup),
        }
        if isinstance(document, str):
            result = self._call("sendDocument", {**parameters, "document": document})
        else:
            kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
            result = self._call(
                "sendDocument", parameters, {"document": (filename, document, kind)}
            )
        try:
            file_id = str(result["document"]["file_id"])
        except (TypeError, KeyError):
            raise OutcomeUnknown("the answer shows no document") from None
        return SentDocument(*_receipt(result), file_id)

    def edit_message_text(
        self,
        *,
        chat_id: ChatId,
        message_id: int,
        text: str,
        parse_mode: str | None = "HTML",
        reply_markup: Mapping[str, Any] | None = None,
        link_preview: bool = False,
    ) -> None:
        """Give a sent message another text. Safe to repeat: one that it has already is fine."""
        parameters = {
            "chat_id": chat_id,
            "message_id": message_id,
            "text": text,
            "parse_mode": parse_mode or None,
            "reply_markup": None if reply_markup is None else dict(reply_markup),
            "link_preview_options": None if link_preview else {"is_disabled": True},
        }
        self._call_again("editMessageText", parameters, fine="message is not modified")

    def edit_message_reply_markup(
        self,
        *,
        chat_id: ChatId,
        message_id: int,
        reply_markup: Mapping[str, Any] | None = None,
    ) -> None:
        """Give a sent message other buttons, or none. Safe to repeat."""
        parameters = {
            "chat_id": chat_id,
            "message_id": message_id,
            "reply_markup": None if reply_markup is None else dict(reply_markup),
        }
        self._call_again("editMessageReplyMarkup", parameters, fine="message is not modified")

    def answer_callback_query(
        self, *, callback_query_id: str, text: str = "", show_alert: bool = False
    ) -> None:
        """End the waiting of who has pressed a button; text (200 characters at most) is shown to them.

        Safe to repeat: an answer that comes too late, or again, is fine.
        """
        self._call_again(
            "answerCallbackQuery",
            {
                "callback_query_id": callback_query_id,
                "text": text[:CALLBACK_TEXT_LIMIT] or None,
                "show_alert": show_alert or None,
            },
            fine="query is too old",
        )

    def delete_message(self, *, chat_id: ChatId, message_id: int) -> None:
        """Delete a sent message. Safe to repeat: one that is gone already is fine."""
        parameters = {"chat_id": chat_id, "message_id": message_id}
        self._call_again("deleteMessage", parameters, fine="message to delete not found")

    def set_webhook(
        self,
        *,
        url: str,
        secret_token: str,
        allowed_updates: Iterable[str] = ("message", "my_chat_member"),
        max_connections: int = 40,
        drop_pending_updates: bool = False,
    ) -> None:
        """Let Telegram post updates to url (https; ports 443, 80, 88, 8443). Safe to repeat.

        secret_token (1 to 256 of A-Z a-z 0-9 _ -) comes back in X-Telegram-Bot-Api-Secret-Token.
        An empty url ends the posting.
        """
        self._call(
            "setWebhook",
            {
                "url": url,
                "secret_token": secret_token or None,
                "allowed_updates": list(allowed_updates),
                "max_connections": max_connections,
                "drop_pending_updates": drop_pending_updates or None,
            },
        )

    def _call_again(self, method: str, parameters: Mapping[str, Any], *, fine: str) -> None:
        try:
            self._call(method, parameters)
        except RequestRefused as exc:
            if fine not in exc.description.lower():
                raise

    def _call(
        self,
        method: str,
        parameters: Mapping[str, Any],
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> Any:
        given = {name: value for name, value in parameters.items() if value is not None}
        body: dict[str, Any] = (
            {"json": given}
            if files is None
            else {
                "data": {name: _form_value(value) for name, value in given.items()},
                "files": files,
            }
        )
        try:
            answer = self._door.request("POST", method, label=method, **body)
        except http.Unreachable as exc:
            raise TelegramUnavailable(exc.reason) from exc
        except (http.OutcomeUnknown, http.BadAnswer) as exc:
            raise OutcomeUnknown(exc.reason) from exc
        return result_of(answer, self._door.mask)


def _form_value(value: Any) -> Any:
    """Nested objects are JSON strings in a form (contract, section 1)."""
    return json.dumps(value) if isinstance(value, dict | list | bool) else value


def _receipt(result: Any) -> tuple[int, datetime]:
    try:
        return int(result["message_id"]), datetime.fromtimestamp(result["date"], UTC)
    except (TypeError, KeyError, ValueError, OverflowError):
        raise OutcomeUnknown("the answer shows no message") from None
