"""Pressing a button under a message: the update that Telegram posts, and the answer of the bot.

Source: Bot API 10.1 (2026-06-11), CallbackQuery and answerCallbackQuery. A query is answered once, within
a time that is not published; here it is QUERY_LIVES_S. What is not answered with 2xx is not sent again by
itself: `repeats` and `again` say so.
"""

import os
import time
from collections import OrderedDict
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

from tests.sandbox.sending import PostFailed, post_within
from tests.sandbox.service import ControlInvalid
from tests.sandbox.telegram.errors import bad_request
from tests.sandbox.telegram.params import Parameters
from tests.sandbox.telegram.shapes import document_message, text_message
from tests.sandbox.telegram.store import Message

QUERY_LIVES_S = 15 * 60.0
ANSWER_LIMIT = 200  # characters
KEPT = 1000
HEADER = "X-Telegram-Bot-Api-Secret-Token"
ANSWER_TIMEOUT_S = 5.0
_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


@dataclass(slots=True)
class Query:
    """A press. answer: what was shown to who has pressed; None: not answered yet."""

    id: str
    update_id: int
    bot_id: int
    chat_id: int
    message_id: int
    from_id: int
    data: str
    pressed_at: float
    body: bytes
    statuses: list[int | str]
    answer: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if name != "body"}


class PressBook:
    """The presses, and where they are posted: what was ordered, else the environment."""

    def __init__(self) -> None:
        self._numbers = count(int(time.time() * 1000) % 10**9)
        self.reset()

    def reset(self) -> None:
        self.url = os.environ.get("TELEGRAM_WEBHOOK_URL", "")
        self.secret = os.environ.get("TELEGRAM_WEBHOOK_SECRET", "")
        self._queries: OrderedDict[str, Query] = OrderedDict()

    def shown(self) -> list[dict[str, Any]]:
        """All kept presses, oldest first."""
        return [query.as_json() for query in self._queries.values()]

    def find(self, query_id: str) -> Query:
        if query_id not in self._queries:
            raise ControlInvalid(f"no press has the id {query_id}")
        return self._queries[query_id]

    def make(self, message: Message, data: str, from_id: int, username: str) -> Query:
        """A press of a button of a message. Nothing is posted yet."""
        number = next(self._numbers)
        person = {"id": from_id, "is_bot": False, "first_name": username.title() or "Somebody"}
        if username:
            person["username"] = username
        shown = (
            text_message(message, Parameters(), None)
            if message.document is None
            else document_message(message, Parameters())
        )
        query_id = str(4_000_000_000_000 + number)
        update = {
            "update_id": number,
            "callback_query": {
                "id": query_id,
                "from": person,
                "message": shown,
                "chat_instance": str(message.chat_id),
                "data": data,
            },
        }
        query = Query(
            query_id, number, message.bot_id, message.chat_id, message.message_id, from_id, data,
            time.time(), orjson.dumps(update), [],
        )  # fmt: skip
        self._queries[query_id] = query
        while len(self._queries) > KEPT:
            self._queries.popitem(last=False)
        return query

    async def send(self, query: Query, url: str, secret: str) -> None:
        """Post the update; how it was answered is kept in the query."""
        headers = {"Content-Type": "application/json"}
        if secret:
            headers[HEADER] = secret
        try:
            query.statuses.append(await post_within(ANSWER_TIMEOUT_S, url, query.body, headers))
        except PostFailed as error:
            query.statuses.append(str(error))

    def answer(self, bot_id: int, query_id: str, text: str) -> None:
        """Raises ApiError 400 for a query that is unknown, foreign, too old or answered."""
        query = self._queries.get(query_id)
        if query is None or query.bot_id != bot_id or query.answer is not None:
            raise bad_request(_TOO_OLD)
        if time.time() - query.pressed_at > QUERY_LIVES_S:
            raise bad_request(_TOO_OLD)
        if len(text) > ANSWER_LIMIT:
            raise bad_request("MESSAGE_TOO_LONG")
        query.answer = text


def button_of(message: Message, wanted: str) -> str:
    """callback_data of the button whose label or data is wanted. Raises ControlInvalid."""
    rows = (message.reply_markup or {}).get("inline_keyboard", [])
    buttons = [button for row in rows for button in row if "callback_data" in button]
    for button in buttons:
        if wanted in {button["text"], button["callback_data"]} or wanted in button["text"]:
            return str(button["callback_data"])
    shown = ", ".join(button["text"] for button in buttons) or "none"
    raise ControlInvalid(f"the message has no button {wanted!r}; it has {shown}")
