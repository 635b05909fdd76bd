"""What was delivered: the last messages, found by chat and by id.

Memory is bounded twice, by the number of messages and by the bytes of their texts; the oldest go
first, and counters remember how many there were.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from orjson import Fragment

from tests.sandbox.telegram.documents import Document
from tests.sandbox.telegram.text import Formatted

KEEP_MESSAGES = 200_000
KEEP_BYTES = 128 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Message:
    """One delivered message. Moments are unix seconds; content is None for a bare document."""

    message_id: int
    chat_id: int
    bot_id: int
    method: str
    received_at: float
    content: Formatted | None
    document: Document | None = None
    reply_markup: dict[str, Any] | None = None
    edited_at: float | None = None
    deleted_at: float | None = None

    def fingerprint(self) -> int:
        """Equal for the same text or file in the same chat."""
        text = self.content.text if self.content else ""
        return hash((self.chat_id, text, self.document and self.document.file_id))

    def as_json(self) -> dict[str, Any]:
        content = self.content
        return {
            "message_id": self.message_id,
            "chat_id": self.chat_id,
            "bot_id": self.bot_id,
            "method": self.method,
            "received_at": self.received_at,
            "received_at_iso": _iso(self.received_at),
            "text": content.text if content else "",
            "raw_text": content.raw if content else "",
            "parse_mode": content.parse_mode if content else "",
            "entities": Fragment(content.entities if content and content.entities else "[]"),
            "document": self.document.as_json() if self.document else None,
            "reply_markup": self.reply_markup,
            "edited_at": self.edited_at,
            "deleted_at": self.deleted_at,
        }


class MessageStore:
    """The delivered messages of all bots. Ids grow over all chats and are never used twice."""

    def __init__(self, keep: int = KEEP_MESSAGES, keep_bytes: int = KEEP_BYTES) -> None:
        self._keep = keep
        self._keep_bytes = keep_bytes
        self.latest_id = 0
        self._clear()

    def _clear(self) -> None:
        self._order: deque[Message] = deque()
        self._by_chat: dict[int, list[Message]] = {}
        self._seen: Counter[int] = Counter()
        self._bytes = 0
        self.delivered = 0
        self.dropped = 0
        self.duplicates = 0
        self.revision = 0  # grows with every change, so that a page can tell that nothing is new

    def reset(self) -> None:
        """Forget all messages and counters. Ids go on, as they do in a real chat."""
        self._clear()

    def __len__(self) -> int:
        return len(self._order)

    def next_id(self) -> int:
        self.latest_id += 1
        return self.latest_id

    def add(self, message: Message) -> None:
        """Record a delivery; message_id comes from next_id."""
        self._order.append(message)
        self._by_chat.setdefault(message.chat_id, []).append(message)
        self._hold(message.content)
        self.delivered += 1
        self.revision += 1
        mark = message.fingerprint()
        if mark in self._seen:
            self.duplicates += 1
        self._seen[mark] += 1
        while len(self._order) > self._keep or self._bytes > self._keep_bytes:
            self._drop_oldest()

    def find(self, bot_id: int, chat_id: int, message_id: int) -> Message | None:
        """A message that this bot sent and nobody deleted."""
        for message in reversed(self._by_chat.get(chat_id, ())):
            if message.message_id == message_id:
                alive = message.bot_id == bot_id and message.deleted_at is None
                return message if alive else None
        return None

    def edit(
        self,
        message: Message,
        content: Formatted | None,
        markup: dict[str, Any] | None,
        at: float,
    ) -> None:
        """Replace text and buttons of a kept message."""
        self._forget_mark(message)
        self._release(message.content)
        self._hold(content)
        message.content, message.reply_markup, message.edited_at = content, markup, at
        self._seen[message.fingerprint()] += 1
        self.revision += 1

    def delete(self, message: Message, at: float) -> None:
        """Mark a message as deleted; what was sent stays readable for tests."""
        message.deleted_at = at
        self.revision += 1

    def read(
        self,
        *,
        chat_id: int | None = None,
        since: float | None = None,
        after_id: int | None = None,
        limit: int = 1000,
    ) -> list[Message]:
        """Messages, oldest first: the first ones after a mark, the last ones without a mark."""
        source = self._order if chat_id is None else self._by_chat.get(chat_id, [])
        if since is None and after_id is None:
            return list(reversed(list(islice(reversed(source), limit))))
        return list(reversed(list(_newer(source, since, after_id))))[:limit]

    def repeated(self, limit: int = 100) -> list[dict[str, Any]]:
        """Which (chat, text) was delivered more than once, among the kept messages."""
        if len(self._seen) == len(self._order):
            return []
        found: dict[int, dict[str, Any]] = {}
        for message in self._order:
            mark = message.fingerprint()
            if self._seen[mark] > 1 and mark not in found:
                found[mark] = {
                    "chat_id": message.chat_id,
                    "text": message.content.text if message.content else "",
                    "count": self._seen[mark],
                }
                if len(found) == limit:
                    break
        return list(found.values())

    def _drop_oldest(self) -> None:
        message = self._order.popleft()
        kept = self._by_chat[message.chat_id]
        del kept[0]
        if not kept:
            del self._by_chat[message.chat_id]
        self._release(message.content)
        self._forget_mark(message)
        self.dropped += 1

    def _forget_mark(self, message: Message) -> None:
        mark = message.fingerprint()
        self._seen[mark] -= 1
        if not self._seen[mark]:
            del self._seen[mark]

    def _hold(self, content: Formatted | None) -> None:
        if content is not None:
            if not content.uses:
                self._bytes += _size(content)
            content.uses += 1

    def _release(self, content: Formatted | None) -> None:
        if content is not None:
            content.uses -= 1
            if not content.uses:
                self._bytes -= _size(content)


def _newer(
    source: deque[Message] | list[Message], since: float | None, after_id: int | None
) -> Iterator[Message]:
    """Walk back from the newest; ids and moments both grow, so the first old one ends it."""
    for message in reversed(source):
        if after_id is not None and message.message_id <= after_id:
            return
        if since is not None and message.received_at < since:
            return
        yield message


def _size(content: Formatted) -> int:
    """Bytes that a text holds in memory, near enough."""
    shown = 0 if content.text is content.raw else content.text.__sizeof__()
    return content.raw.__sizeof__() + shown + len(content.entities)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
