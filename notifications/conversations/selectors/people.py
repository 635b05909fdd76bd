"""Who takes part in some dialogs, for their lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jobs import sql
from notifications.conversations.models import Dialog

SHOWN = 3  # names in a line of a list


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people of one dialog at a glance."""

    count: int  # who take part now
    names: list[str]  # some of them
    unread: int  # how many of them have something unread
    waiting_since: datetime | None  # of the one who has waited the longest


_CROWDS = f"""
SELECT dialog_id, count(*), (array_agg(user_id ORDER BY id))[1:{SHOWN}],
    count(*) FILTER (WHERE unread > 0), min(pending_since)
FROM conversation_participant WHERE dialog_id = ANY(%s) AND left_at IS NULL GROUP BY dialog_id
"""


def crowds_of(dialogs: Iterable[Dialog]) -> dict[UUID, Crowd]:
    """Who takes part in each. One query."""
    found = sql.rows(_CROWDS, [[each.pk for each in dialogs]])
    return {dialog_id: Crowd(*facts) for dialog_id, *facts in found}
