"""Telegram for a file: the last messages, their documents, chats, bots and limits."""

from base64 import b64decode, b64encode
from dataclasses import asdict
from typing import Any

from tests.sandbox.telegram.behaviours import Behaviour, Rule
from tests.sandbox.telegram.documents import Document
from tests.sandbox.telegram.limits import LimitRules
from tests.sandbox.telegram.store import Message
from tests.sandbox.telegram.text import Formatted
from tests.sandbox.telegram.webhook import Webhook
from tests.sandbox.telegram.world import World

KEEP_MESSAGES = 10_000
KEEP_DOCUMENT_BYTES = 2 * 1024 * 1024


def kept(world: World) -> dict[str, Any]:
    documents = world.documents
    return {
        "latest_id": world.messages.latest_id,
        "messages": world.messages.read(limit=KEEP_MESSAGES),
        "documents": documents.newest(),
        "documents_count": documents.count,
        "contents": {
            file_id: b64encode(content).decode()
            for file_id, content in documents.newest_contents(KEEP_DOCUMENT_BYTES)
        },
        "chats": world.chats.as_json(),
        "limits": asdict(world.limits.rules),
        "revoked": {bot_id: list(secrets) for bot_id, secrets in world.bots.revoked().items()},
        "webhooks": {bot_id: asdict(found) for bot_id, found in world.webhooks.known().items()},
    }


def restore(world: World, content: dict[str, Any], *, id_gap: int) -> None:
    """Into an empty world. Raises ValueError, KeyError or TypeError for what is none."""
    texts: dict[tuple[str, str, str], Formatted] = {}
    for row in content["messages"]:
        world.messages.add(_message(row, texts))
    world.messages.latest_id = content["latest_id"] + id_gap
    contents = {name: b64decode(text) for name, text in content["contents"].items()}
    for row in content["documents"]:
        world.documents.put(Document(**row), contents.get(row["file_id"]))
    world.documents.count = content["documents_count"] + id_gap
    for row in reversed(content["chats"]["ranges"]):
        world.chats.set(range(row["from"], row["to"] + 1, row["step"]), _rule(row))
    for chat_id, row in content["chats"]["single"].items():
        world.chats.set([int(chat_id)], _rule(row))
    world.limits.change(LimitRules(**content["limits"]))
    for bot_id, secrets in content["revoked"].items():
        for secret in secrets:
            world.bots.revoke(int(bot_id), secret)
    for bot_id, row in content["webhooks"].items():
        updates = tuple(row["allowed_updates"])
        world.webhooks.put(int(bot_id), Webhook(**{**row, "allowed_updates": updates}))


def _message(row: dict[str, Any], texts: dict[tuple[str, str, str], Formatted]) -> Message:
    """Equal texts of a broadcast share their memory again."""
    content, document = row["content"], row["document"]
    if content is not None:
        fields = {name: content[name] for name in ("raw", "text", "entities", "parse_mode")}
        made = Formatted(**fields)
        content = texts.setdefault((made.raw, made.entities, made.parse_mode), made)
    return Message(
        **{**row, "content": content, "document": Document(**document) if document else None}
    )


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(Behaviour(row["behaviour"]), row.get("migrate_to"))
