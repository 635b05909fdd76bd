"""What the parts of the inbox hand to each other."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from lib.ids import uuid7

Target = tuple[int, str]  # (user_id, login)

# What a change is, as one letter of the published payload.
NEW: Final = "n"
READ: Final = "r"
UPDATED: Final = "u"
RECALLED: Final = "x"  # recalled or replaced
CLEARED: Final = "c"


@dataclass(slots=True)
class Draft:
    """One message to many people. A target that is named twice is told once.

    ids: the notification of each target, fixed before anything is written.
    """

    targets: list[Target]
    message: str
    source: str
    created_at: datetime | None = None
    ttl_s: int = 900
    collapse_key: str | None = None
    priority: int = 2
    data: dict[str, Any] | None = None
    fallback_after_s: int | None = None
    sender_id: int | None = None
    correlation_id: str = ""
    ids: dict[Target, UUID] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = {target: uuid7() for target in dict.fromkeys(self.targets)}


@dataclass(slots=True)
class Accepted:
    """What became of a draft: per distinct target, in their order, unread, deferred or muted."""

    draft: Draft
    states: list[str]


@dataclass(slots=True)
class Change:
    """One change of one person's inbox, as it is published; notifications.inbox.changes makes them.

    prev: the person's position before this change. payload: JSON for the key of the notification,
    with its time to live; None where that key does not change.
    """

    recipient_id: int
    user_id: int
    login: str
    position: int
    prev: int
    kind: str
    notification_id: str
    frame: str
    payload: str | None = None
    ttl_s: int = 0


@dataclass(slots=True)
class Row:
    """A notification as screens see it. data is JSON text; state is unread, read or auto_cleared."""

    recipient_id: int
    notification_id: str
    position: int
    version: int
    state: str
    message: str
    source: str
    created_at: datetime
    expires_at: datetime | None
    priority: int
    edition: int
    data: str | None = None


@dataclass(slots=True)
class Snapshot:
    """An inbox at one moment. Both lists are oldest first, and no notification is in both."""

    last_position: int
    unread: int
    trimmed_to: int
    epoch: str
    pending: list[Row]
    recent: list[Row]


class Missed(NamedTuple):
    """A change that somebody missed: as Change, without the person."""

    position: int
    prev: int
    frame: str
    kind: str
    notification_id: str


@dataclass(slots=True)
class Changes:
    """What happened to an inbox after a position, oldest first.

    complete: False if some of it is gone or it is too much; then take a Snapshot. Several changes of
    one notification come as one, so the last of `missed` may stand below last_position.
    """

    last_position: int
    unread: int
    epoch: str
    complete: bool
    missed: list[Missed]


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What became of one ack. result: read (just now), already, or unknown (or somebody else's).

    position: of this change; None unless it was read just now. stream: of the notification itself.
    """

    recipient_id: int
    notification_id: UUID
    result: str
    position: int | None
    stream: int | None
