"""All users of the panel, chunk by chunk in the order of their numbers, in every dialect.

v2.8 and up page by key, which misses nobody. v2.7 pages by offset: whoever is deleted meanwhile moves
the rest towards the start, so pages overlap, and where the overlap is gone we step back.
"""

from dataclasses import dataclass
from datetime import datetime

from lib import clock
from subscriptions.panel.client import PanelClient
from subscriptions.panel.types import PanelUser
from subscriptions.panel.users import PAGE

OVERLAP = 50


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a walk is: the last number that was read, and how the panel is asked for the next."""

    last_id: int = 0
    cursor: str = ""  # of the stream; or the offset

    def __str__(self) -> str:
        return f"{self.last_id}:{self.cursor}"

    @classmethod
    def parse(cls, text: str) -> "Mark":
        """The mark that was written as text; an empty one is the start."""
        last_id, _, cursor = text.partition(":")
        return cls(int(last_id or 0), cursor)


@dataclass(frozen=True, slots=True)
class Chunk:
    """All users with numbers over `after` and up to `until` (None: it is the last chunk)."""

    users: tuple[PanelUser, ...]
    after: int
    until: int | None
    mark: Mark
    read_at: datetime


def chunk_read(client: PanelClient, mark: Mark, *, size: int = PAGE) -> Chunk:
    """The users after a mark. Raises PanelError."""
    read_at = clock.now()
    if not client.has_stream():
        return _chunk_by_offset(client, mark, read_at, size)
    page = client.users_stream(mark.cursor or None, size=size)
    users = tuple(user for user in page.users if user.id > mark.last_id)
    last_id = max((user.id for user in users), default=mark.last_id)
    cursor = page.next_cursor
    until = None if cursor is None else last_id
    return Chunk(users, mark.last_id, until, Mark(last_id, cursor or ""), read_at)


def _chunk_by_offset(client: PanelClient, mark: Mark, read_at: datetime, size: int) -> Chunk:
    start = int(mark.cursor or 0)
    page = client.users_page(start, size=size)
    while start > 0 and (not page.users or page.users[0].id > mark.last_id):
        start = max(0, start - size // 2)
        page = client.users_page(start, size=size)
    users = tuple(user for user in page.users if user.id > mark.last_id)
    last_id = max((user.id for user in users), default=mark.last_id)
    is_last = len(page.users) < size
    next_start = max(0, start + len(page.users) - min(OVERLAP, size // 2))
    until = None if is_last else last_id
    return Chunk(users, mark.last_id, until, Mark(last_id, str(next_start)), read_at)


def after(last_id: int) -> Mark:
    """The mark behind a number, for panels with a stream: its cursor is the number itself."""
    return Mark(last_id, str(last_id) if last_id else "")
