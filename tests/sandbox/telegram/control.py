"""/_sandbox/telegram/: read back what arrived, and set up how chats and bots behave."""

import re
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tests.sandbox.replies import json_reply, moment, read_object, whole
from tests.sandbox.service import ControlInvalid
from tests.sandbox.telegram.behaviours import Behaviour, Rule
from tests.sandbox.telegram.buttons import button_of
from tests.sandbox.telegram.store import Message
from tests.sandbox.telegram.world import World

READ_LIMIT = 10_000
IDS_LIMIT = 1_000_000
_PRESS_FIELDS = {
    "chat_id", "message_id", "button", "from_id", "username", "repeats", "secret", "url", "again",
}  # fmt: skip
_CHAT_FIELDS = {"behaviour", "migrate_to", "chat_ids", "from", "to", "step"}


def routes(world: World) -> list[BaseRoute]:
    control = Control(world)
    return [
        Route("/messages", control.messages),
        Route("/stats", control.stats),
        Route("/chats", control.chats, methods=["GET", "PUT", "DELETE"]),
        Route("/chats/{chat_id}", control.chat, methods=["GET", "PUT"]),
        Route("/bots/{bot_id:int}", control.bot, methods=["PUT"]),
        Route("/documents/{file_id}", control.document),
        Route("/press", control.press, methods=["GET", "POST"]),
        Route("/webhook", control.webhook, methods=["GET", "PUT"]),
    ]


class Control:
    """The endpoints. Wrong input raises ControlInvalid, which the app answers with 400."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def messages(self, request: Request) -> Response:
        """chat_id, since (unix seconds), after_id, limit; oldest first."""
        query = request.query_params
        limit = whole(query, "limit")
        found = self._world.messages.read(
            chat_id=whole(query, "chat_id"),
            since=moment(query, "since"),
            after_id=whole(query, "after_id"),
            limit=1000 if limit is None else min(max(limit, 0), READ_LIMIT),
        )
        return json_reply(
            {
                "messages": [message.as_json() for message in found],
                "kept": len(self._world.messages),
                "dropped": self._world.messages.dropped,
                "revision": self._world.messages.revision,
            }
        )

    async def stats(self, request: Request) -> Response:
        store = self._world.messages
        return json_reply(
            {
                **self._world.traffic.as_json(time.time()),
                "delivered": store.delivered,
                "kept": len(store),
                "dropped": store.dropped,
                "duplicates": store.duplicates,
                "duplicate_messages": store.repeated(),
            }
        )

    async def chats(self, request: Request) -> Response:
        """PUT {"behaviour", "chat_ids": [...]} or {"behaviour", "from", "to", "step"}."""
        if request.method == "DELETE":
            self._world.chats.clear()
        elif request.method == "PUT":
            order = await read_object(request, _CHAT_FIELDS)
            self._world.chats.set(_chosen(order), _rule(order))
        return json_reply(self._world.chats.as_json())

    async def chat(self, request: Request) -> Response:
        chat_id = _whole("chat_id", request.path_params["chat_id"])
        if request.method == "PUT":
            order = await read_object(request, {"behaviour", "migrate_to"})
            self._world.chats.set([chat_id], _rule(order))
        rule = self._world.chats.rule(chat_id)
        return json_reply(
            {"chat_id": chat_id, "behaviour": rule.behaviour, "migrate_to": rule.migrate_to}
        )

    async def bot(self, request: Request) -> Response:
        """PUT {"revoked": bool, "secret": text}; without a secret every secret is meant."""
        bot_id = request.path_params["bot_id"]
        order = await read_object(request, {"revoked", "secret"})
        if order.get("revoked") is True:
            self._world.bots.revoke(bot_id, order.get("secret"))
        elif order.get("revoked") is False:
            self._world.bots.restore(bot_id)
        else:
            raise ControlInvalid("revoked must be true or false")
        return json_reply({"bot_id": bot_id, "revoked": order["revoked"]})

    async def document(self, request: Request) -> Response:
        file_id = request.path_params["file_id"]
        document = self._world.documents.find(file_id)
        content = self._world.documents.content(file_id)
        if document is None or content is None:
            return json_reply({"error": "no such document is kept"}, 404)
        # Never the sender's type: a page that somebody uploads must not run in this origin.
        return Response(content, media_type="application/octet-stream")

    async def press(self, request: Request) -> Response:
        """POST {"chat_id", "button"}: a label or its data; the update is posted and waited for.

        message_id: default the last one of the chat that has buttons; from_id: default the chat;
        repeats: so many more times the same update; secret, url: others than those that are set;
        again: the id of a press, whose update is posted once more. GET: all presses with answers.
        """
        presses = self._world.presses
        if request.method == "GET":
            return json_reply({"presses": presses.shown()})
        order = await read_object(request, _PRESS_FIELDS)
        if (again := order.get("again")) is not None:
            query = presses.find(str(again))
        else:
            message = self._pressed(order)
            data = button_of(message, str(order.get("button", "")))
            from_id = _whole("from_id", order.get("from_id", message.chat_id))
            query = presses.make(message, data, from_id, str(order.get("username", "")))
        found = self._world.webhooks.of(query.bot_id)
        url = order.get("url") or presses.url or (found.url if found else "")
        secret = order.get("secret", presses.secret or (found.secret if found else ""))
        if not url:
            raise ControlInvalid("nobody has said where presses are posted")
        for _ in range(1 + _whole("repeats", order.get("repeats", 0))):
            await presses.send(query, str(url), str(secret))
        return json_reply(query.as_json())

    def _pressed(self, order: dict[str, Any]) -> Message:
        chat_id = _whole("chat_id", order.get("chat_id"))
        wanted = order.get("message_id")
        kept = reversed(self._world.messages.read(chat_id=chat_id, limit=READ_LIMIT))
        for message in kept:
            is_it = message.message_id == wanted if wanted is not None else message.reply_markup
            if is_it and message.deleted_at is None:
                return message
        raise ControlInvalid(f"chat {chat_id} has no such message with buttons")

    async def webhook(self, request: Request) -> Response:
        """Where presses are posted, with which secret: {"url": "http://...", "secret": "..."}."""
        presses = self._world.presses
        if request.method == "PUT":
            order = await read_object(request, {"url", "secret"})
            presses.url, presses.secret = str(order.get("url", "")), str(order.get("secret", ""))
        return json_reply({"url": presses.url, "has_secret": bool(presses.secret)})


def _rule(order: dict[str, Any]) -> Rule:
    behaviour = order.get("behaviour")
    if behaviour not in list(Behaviour):
        raise ControlInvalid(f"behaviour must be one of {', '.join(Behaviour)}")
    migrate_to = order.get("migrate_to")
    return Rule(
        Behaviour(behaviour), None if migrate_to is None else _whole("migrate_to", migrate_to)
    )


def _chosen(order: dict[str, Any]) -> list[int] | range:
    chat_ids = order.get("chat_ids")
    if chat_ids is not None:
        if not isinstance(chat_ids, list) or len(chat_ids) > IDS_LIMIT:
            raise ControlInvalid(f"chat_ids must be a list of at most {IDS_LIMIT} numbers")
        return [_whole("chat_ids", chat_id) for chat_id in chat_ids]
    if order.get("from") is None or order.get("to") is None:
        raise ControlInvalid("chat_ids, or from and to, must say which chats are meant")
    first, last = _whole("from", order["from"]), _whole("to", order["to"])
    step = _whole("step", order.get("step", 1))
    if first > last or step < 1:
        raise ControlInvalid("from must not be above to, and step must be at least 1")
    return range(first, last + 1, step)


def _whole(name: str, value: Any) -> int:
    """A whole number, also as text, as in a path."""
    if type(value) is int:
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
        return int(value)
    raise ControlInvalid(f"{name} must be a whole number")
