"""Whether a call may reach its chat: found, within the limits, and open.

The order is that of the real thing. What the API server finds by itself (an unknown chat) costs
nothing; then the flood limits count; then Telegram says whether the chat is open.
"""

import time

from tests.sandbox.telegram.behaviours import Behaviour, Rule, closed_chat, unknown_chat
from tests.sandbox.telegram.errors import bad_request, too_many_requests
from tests.sandbox.telegram.params import Parameters
from tests.sandbox.telegram.world import World

_MAX_INT64 = 2**63


def known_chat(world: World, bot_id: int, parameters: Parameters) -> int:
    """The chat of a call. Raises ApiError 400 for one that this bot never met."""
    chat_id = parameters.chat_id()
    if chat_id is None and not parameters.text("chat_id").strip():
        raise bad_request("chat_id is empty")
    # Names lead to channels and groups only, and the sandbox has none with a name.
    if not chat_id or not -_MAX_INT64 <= chat_id < _MAX_INT64:
        raise bad_request("chat not found")
    refusal = unknown_chat(chat_id, world.chats.rule(chat_id))
    if refusal is not None:
        raise refusal
    return chat_id


def open_chat(world: World, bot_id: int, parameters: Parameters) -> int:
    """The chat of a send that may go out now. Raises ApiError 400, 403 and 429."""
    chat_id = known_chat(world, bot_id, parameters)
    pass_limits(world, bot_id, chat_id)
    rule = Rule(Behaviour.TO_BOT) if chat_id == bot_id else world.chats.rule(chat_id)
    refusal = closed_chat(chat_id, rule)
    if refusal is not None:
        raise refusal
    return chat_id


def pass_limits(world: World, bot_id: int, chat_id: int) -> None:
    retry_after_s = world.limits.admit(bot_id, chat_id, time.monotonic())
    if retry_after_s is not None:
        raise too_many_requests(retry_after_s)
