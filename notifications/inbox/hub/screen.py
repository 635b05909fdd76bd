"""One connected socket as the hub sees it, and one change as it travels to it."""

from typing import TYPE_CHECKING
from uuid import UUID

from notifications.inbox.hub.wire import Wire, encode
from notifications.inbox.shapes import READ

if TYPE_CHECKING:
    from notifications.inbox.hub.person import Person

TOLD_AT_MOST = 64


class Change:
    """One change of a person's inbox. frame: the text of the frame in UTF-8; kind: see shapes."""

    __slots__ = ("frame", "kind", "notification_id", "position", "prev")

    def __init__(
        self, position: int, prev: int, kind: str, notification_id: str, frame: bytes
    ) -> None:
        self.position = position
        self.prev = prev
        self.kind = kind
        self.notification_id = notification_id
        self.frame = frame


class Screen:
    """A socket of a person. client_id is its name towards everybody else."""

    __slots__ = ("asked", "client_id", "early", "person", "told", "wire")

    def __init__(self, client_id: UUID, wire: Wire, person: "Person") -> None:
        self.client_id = str(client_id)
        self.wire = wire
        self.person = person
        # Changes that came before its own picture of the inbox was sent; None: it is live.
        self.early: list[tuple[Change, bytes]] | None = []
        self.asked: set[str] | None = None  # notifications it says it has read, not answered yet
        self.told: dict[str, int] | None = None  # answered before the change itself came by

    def show(self, change: Change, encoded: bytes) -> None:
        """Tell of a change."""
        if change.kind == READ:
            self.show_read(change.notification_id, encoded)
        else:
            self.wire.write(encoded)

    def write_text(self, frame: str) -> None:
        """Send a frame to this screen only."""
        self.wire.write(encode(frame.encode()))

    def replay(self, position: int) -> int:
        """Tell what came early and continues from a position. Returns where that ends."""
        early, self.early = self.early or (), []
        for change, encoded in early:
            if position < change.position and change.prev <= position:
                self.show(change, encoded)
                position = change.position
        return position

    def ask_read(self, notification_id: str) -> None:
        """It says that it has read this; `answer_read` follows."""
        if self.asked is None:
            self.asked = set()
        self.asked.add(notification_id)

    def show_read(self, notification_id: str, encoded: bytes) -> None:
        """Tell that something was read, unless this screen said so itself and has its answer."""
        if self.told and self.told.pop(notification_id, None) is not None:
            return
        if self.asked:
            self.asked.discard(notification_id)
        self.wire.write(encoded)

    def answer_read(self, notification_id: str, position: int | None, frame: str) -> None:
        """Answer its own read. position: of the change that the chain will bring; None: it made none."""
        if position is None:
            self.write_text(frame)
            return
        if self.asked is None or notification_id not in self.asked:
            return  # the change came first, and was the answer
        self.asked.discard(notification_id)
        self.write_text(frame)
        last = self.person.last
        if last is not None and position <= last and self.early is None:
            return  # it came by inside of something else
        if self.told is None:
            self.told = {}
        if len(self.told) >= TOLD_AT_MOST:
            self.told = {key: at for key, at in self.told.items() if at > (last or 0)}
        self.told[notification_id] = position
