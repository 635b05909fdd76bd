"""The methods of the Bot API that are served, by contract of Bot API 10.1 (2026-06-11).

allow_paid_broadcast is ignored: this bot has no Stars.
"""

import time
from collections.abc import Callable
from typing import Any

from tests.sandbox.telegram.bots import bot_account
from tests.sandbox.telegram.contents import document_source, read_caption, read_text
from tests.sandbox.telegram.errors import ApiError, bad_request
from tests.sandbox.telegram.gate import known_chat, open_chat, pass_limits
from tests.sandbox.telegram.markup import read_markup, read_preview
from tests.sandbox.telegram.params import Parameters
from tests.sandbox.telegram.shapes import document_message, text_message
from tests.sandbox.telegram.store import Message
from tests.sandbox.telegram.world import World

Result = tuple[Any, str | None]  # result, and the description that some answers carry
Method = Callable[[World, int, Parameters], Result]


def get_me(world: World, bot_id: int, parameters: Parameters) -> Result:
    return bot_account(bot_id), None


def send_message(world: World, bot_id: int, parameters: Parameters) -> Result:
    content = read_text(parameters)
    markup, preview = read_markup(parameters), read_preview(parameters)
    chat_id = open_chat(world, bot_id, parameters)
    message = Message(
        message_id=world.messages.next_id(),
        chat_id=chat_id,
        bot_id=bot_id,
        method="sendMessage",
        received_at=time.time(),
        content=content,
        reply_markup=markup,
    )
    _deliver(world, message)
    return text_message(message, parameters, preview), None


def send_document(world: World, bot_id: int, parameters: Parameters) -> Result:
    caption = read_caption(parameters)
    markup = read_markup(parameters)
    take = document_source(world.documents, parameters)
    chat_id = open_chat(world, bot_id, parameters)
    message = Message(
        message_id=world.messages.next_id(),
        chat_id=chat_id,
        bot_id=bot_id,
        method="sendDocument",
        received_at=time.time(),
        content=caption,
        document=take(),
        reply_markup=markup,
    )
    _deliver(world, message)
    return document_message(message, parameters), None


def edit_message_text(world: World, bot_id: int, parameters: Parameters) -> Result:
    content = read_text(parameters)
    markup, preview = read_markup(parameters), read_preview(parameters)
    message_id = _message_id(parameters)
    chat_id = known_chat(world, bot_id, parameters)
    message = world.messages.find(bot_id, chat_id, message_id)
    if message is None:
        raise bad_request("message to edit not found")
    if message.document is not None or message.content is None:
        raise bad_request("there is no text in the message to edit")
    old = message.content
    is_same = (old.text, old.entities) == (content.text, content.entities)
    if is_same and message.reply_markup == markup:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly "
            "the same as a current content and reply markup of the message"
        )
    pass_limits(world, bot_id, chat_id)
    world.messages.edit(message, content, markup, time.time())
    return text_message(message, parameters, preview), None


def edit_message_reply_markup(world: World, bot_id: int, parameters: Parameters) -> Result:
    markup = read_markup(parameters)
    message_id = _message_id(parameters)
    chat_id = known_chat(world, bot_id, parameters)
    message = world.messages.find(bot_id, chat_id, message_id)
    if message is None:
        raise bad_request("message to edit not found")
    if message.reply_markup == markup:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly "
            "the same as a current content and reply markup of the message"
        )
    pass_limits(world, bot_id, chat_id)
    world.messages.edit(message, message.content, markup, time.time())
    if message.document is not None:
        return document_message(message, parameters), None
    return text_message(message, parameters, None), None


def answer_callback_query(world: World, bot_id: int, parameters: Parameters) -> Result:
    world.presses.answer(bot_id, parameters.text("callback_query_id"), parameters.text("text"))
    return True, None


def delete_message(world: World, bot_id: int, parameters: Parameters) -> Result:
    message_id = _message_id(parameters)
    chat_id = known_chat(world, bot_id, parameters)
    message = world.messages.find(bot_id, chat_id, message_id)
    if message is None:
        raise bad_request("message to delete not found")
    world.messages.delete(message, time.time())
    return True, None


def set_webhook(world: World, bot_id: int, parameters: Parameters) -> Result:
    is_limited = world.limits.rules.enabled
    return world.webhooks.set(bot_id, parameters, time.monotonic(), is_limited=is_limited)


def delete_webhook(world: World, bot_id: int, parameters: Parameters) -> Result:
    return world.webhooks.delete(bot_id)


def get_webhook_info(world: World, bot_id: int, parameters: Parameters) -> Result:
    return world.webhooks.show(bot_id), None


def unknown_method(world: World, bot_id: int, parameters: Parameters) -> Result:
    raise ApiError(404, "Not Found: method not found")


METHODS: dict[str, Method] = {
    "getme": get_me,
    "sendmessage": send_message,
    "senddocument": send_document,
    "editmessagetext": edit_message_text,
    "editmessagereplymarkup": edit_message_reply_markup,
    "answercallbackquery": answer_callback_query,
    "deletemessage": delete_message,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
}


def _deliver(world: World, message: Message) -> None:
    world.messages.add(message)
    world.traffic.count_delivered(message.received_at)


def _message_id(parameters: Parameters) -> int:
    message_id = parameters.integer("message_id")
    if message_id <= 0:
        raise bad_request("message identifier is not specified")
    return message_id
