"""Messages and chats as answers show them."""

from typing import Any

from orjson import Fragment

from tests.sandbox.telegram.behaviours import SUPERGROUP_BASE
from tests.sandbox.telegram.bots import bot_user
from tests.sandbox.telegram.params import Parameters
from tests.sandbox.telegram.store import Message


def text_message(
    message: Message, parameters: Parameters, preview: dict[str, Any] | None
) -> dict[str, Any]:
    shown = _envelope(message)
    assert message.content is not None  # a text message has one
    shown["text"] = message.content.text
    if message.content.entities:
        shown["entities"] = Fragment(message.content.entities)
    if preview:
        shown["link_preview_options"] = preview
    return _finish(shown, message, parameters)


def document_message(message: Message, parameters: Parameters) -> dict[str, Any]:
    shown = _envelope(message)
    assert message.document is not None  # this is what makes it one
    shown["document"] = message.document.as_json()
    if message.content is not None:
        shown["caption"] = message.content.text
        if message.content.entities:
            shown["caption_entities"] = Fragment(message.content.entities)
    return _finish(shown, message, parameters)


def _envelope(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "from": bot_user(message.bot_id),
        "chat": chat_card(message.chat_id),
        "date": int(message.received_at),
    }


def _finish(shown: dict[str, Any], message: Message, parameters: Parameters) -> dict[str, Any]:
    if message.edited_at is not None:
        shown["edit_date"] = int(message.edited_at)
    if parameters.flag("protect_content"):
        shown["has_protected_content"] = True
    if message.reply_markup:
        shown["reply_markup"] = message.reply_markup
    return shown


def chat_card(chat_id: int) -> dict[str, Any]:
    """A chat as messages show it; the sign and size of the id tell its type."""
    if chat_id > 0:
        return {
            "id": chat_id,
            "first_name": f"User {chat_id}",
            "username": f"user_{chat_id}",
            "type": "private",
        }
    kind = "supergroup" if chat_id < SUPERGROUP_BASE else "group"
    return {"id": chat_id, "title": f"Group {-chat_id}", "type": kind}
