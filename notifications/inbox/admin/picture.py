"""A notification as the person sees it: the very frame that goes to the screens, and a drawing of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib import clock
from notifications.inbox.frames import push_frame
from notifications.inbox.models import Notification
from notifications.inbox.shapes import Row

TEXT_MOST = 4000  # characters
DATA_MOST = 4096  # bytes
_SEEN = {"unread", "read", "auto_cleared"}


@dataclass(frozen=True, slots=True)
class Picture:
    """What _card.html draws. frame: the JSON of the push, over several lines."""

    message: str
    source: str
    created_at: datetime
    priority: int
    is_read: bool
    is_gone: bool  # off the screens: recalled, replaced, muted
    data: dict[str, Any] | None
    frame: str

    @property
    def length(self) -> int:
        return len(self.message)

    @property
    def limit(self) -> int:
        return TEXT_MOST


def picture_of(row: Notification) -> Picture:
    """How a notification looks now; one that no screen got yet, as it would."""
    state = row.state if row.state in _SEEN else "unread"
    return _picture(
        Row(
            recipient_id=row.recipient_id,
            notification_id=str(row.pk),
            position=row.position or 0,
            version=row.version or 0,
            state=state,
            message=row.message,
            source=row.source,
            created_at=row.created_at,
            expires_at=row.expires_at,
            priority=row.priority,
            edition=row.edition,
            data=json.dumps(row.data, ensure_ascii=False) if row.data is not None else None,
        ),
        row.data,
        is_gone=row.state in {"recalled", "replaced", "muted"},
    )


def picture_make(
    *, message: str, source: str, priority: int, data: dict[str, Any] | None
) -> Picture:
    """How a text would look that is being written."""
    now = clock.now()
    nowhere = "00000000-0000-0000-0000-000000000000"
    position = int(now.timestamp() * 1000)
    return _picture(
        Row(
            recipient_id=0,
            notification_id=nowhere,
            position=position,
            version=position,
            state="unread",
            message=message,
            source=source,
            created_at=now,
            expires_at=None,
            priority=priority,
            edition=1,
            data=json.dumps(data, ensure_ascii=False) if data is not None else None,
        ),
        data,
        is_gone=False,
    )


def _picture(row: Row, data: dict[str, Any] | None, *, is_gone: bool) -> Picture:
    return Picture(
        message=row.message,
        source=row.source,
        created_at=row.created_at,
        priority=row.priority,
        is_read=row.state == "read",
        is_gone=is_gone,
        data=data,
        frame=json.dumps(json.loads(push_frame(row)), indent=2, ensure_ascii=False),
    )
