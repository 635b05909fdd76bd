"""Who was not seen in the panel: asked for one by one before anything is written.

Only the panel's own "there is no such user" counts. Unusually many are a sign that something else is
wrong, so then nobody is marked and a person is told.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from jobs import sql
from subscriptions.mirror.applying import users_apply
from subscriptions.mirror.identity import Verdict, gone_mark, renamed_settle
from subscriptions.mirror.rows import rows_read
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelMissing

LEAST = 20  # so few are always believed
SHARE = 0.02  # of those that were seen


@dataclass(slots=True)
class Confirmed:
    """What came of asking: gone for good, there after all, moved to another number, or nobody knows."""

    gone: int = 0
    there: int = 0
    moved: int = 0
    unknown: list[int] = field(default_factory=list)


def unseen(seen: Collection[int], after: int, until: int | None, read_at: datetime) -> list[int]:
    """Numbers of ours between two numbers that a page did not have (until None: to the end)."""
    found = sql.rows(
        """SELECT panel_id FROM subscriber
        WHERE panel_id > %(after)s AND (%(until)s::bigint IS NULL OR panel_id <= %(until)s)
            AND missing_since IS NULL AND mirrored_at <= %(read_at)s AND panel_id <> ALL(%(seen)s)
        ORDER BY panel_id""",
        {"after": after, "until": until, "read_at": read_at, "seen": list(seen)},
    )
    return [panel_id for (panel_id,) in found]


def is_unusual(suspects: int, seen: int) -> bool:
    """Whether so many are missing that nobody is marked before a person has looked."""
    return suspects > max(LEAST, int(seen * SHARE))


def confirm(client: PanelClient, panel_ids: Collection[int], read_at: datetime) -> Confirmed:
    """Ask the panel for users that were not seen, and write down what it says. Raises PanelError."""
    result = Confirmed()
    if not panel_ids:
        return result
    answers = client.users_by_ids(panel_ids)
    there = [user for user in answers.values() if user is not None]
    users_apply(there, read_at)
    result.there = len(there)
    rows = rows_read([panel_id for panel_id, user in answers.items() if user is None])
    for row in rows.values():
        try:
            moved = client.user_by_username(row["username"])
        except PanelMissing:
            result.gone += gone_mark(row["id"])
            continue
        verdict = renamed_settle(client, row, moved)
        if verdict is Verdict.UNKNOWN:
            result.unknown.append(row["panel_id"])
        elif verdict is Verdict.REPLACED:
            result.gone += 1
        else:
            result.moved += 1
    return result
