"""Taking what was read from the panel over into the mirror: only what differs is written."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from lib import clock
from subscriptions.mirror import drifts, echoes
from subscriptions.mirror.comparing import Change, Comparison, Row, compare
from subscriptions.mirror.owners import BY_NAME, columns_of
from subscriptions.mirror.rows import rows_insert, rows_named, rows_read, rows_update
from subscriptions.mirror.telling import cut_columns, lines
from subscriptions.panel.types import PanelUser
from subscriptions.story import EventRow, events_write

STRANGERS_AT_MOST = 5  # of a page; more means that this is not the panel that we know


class PanelIsAnother(Exception):
    """Users have other names than those that we know by their numbers."""


@dataclass(slots=True)
class Applied:
    """What was done with a page. renamed: the panel has their name under a new number (identity.py)."""

    same: int = 0
    stale: int = 0
    created: int = 0
    changed: int = 0
    drifted: int = 0
    strangers: int = 0
    renamed: list[tuple[Row, PanelUser]] = field(default_factory=list)


def users_apply(
    users: Sequence[PanelUser], read_at: datetime, *, is_import: bool = False
) -> Applied:
    """Bring the mirror in line with users as they were read at read_at (our clock, before the call).

    Writes nothing, and begins no transaction, where nothing differs. is_import: the first meeting
    with this panel, of which no story is told. Raises PanelIsAnother.
    Repeat: nothing. Locks: the subscribers that change, by id.
    """
    rows = rows_read([user.id for user in users])
    seen = compare(users, rows, read_at)
    applied = Applied(same=seen.same, stale=seen.stale)
    refuse_another_panel(seen)
    _settle(rows, seen)
    if not (seen.new or seen.changed or seen.strangers):
        return applied
    with transaction.atomic(savepoint=False):  # who calls from within a transaction fails with us
        if seen.changed:
            _change(seen, read_at, applied)
        for row, user in seen.strangers:
            stranger_unbind(row, user)
        applied.strangers = len(seen.strangers)
        new = seen.new + [user for _, user in seen.strangers]
        if new:
            _add(new, applied, is_import=is_import)
    return applied


def user_apply(user: PanelUser, read_at: datetime) -> Applied:
    """The same for one user."""
    return users_apply([user], read_at)


def refuse_another_panel(seen: Comparison) -> None:
    """Raise PanelIsAnother where too many numbers belong to other people than before."""
    known = seen.same + seen.stale + len(seen.changed) + len(seen.strangers)
    if len(seen.strangers) > max(STRANGERS_AT_MOST, known // 100):
        row, user = seen.strangers[0]
        raise PanelIsAnother(
            f"{len(seen.strangers)} of {known} users are others than before, such as number "
            f"{user.id}: {row['username']} here, {user.username} there"
        )


def _settle(rows: Mapping[int, Row], seen: Comparison) -> None:
    """Take off the list of drift what agrees again without anything being written."""
    still: dict[int, Collection[str]] = {row["id"]: () for row in rows.values()}
    still |= {change.row["id"]: (*change.kept, *change.written) for change in seen.changed}
    still |= {row["id"]: (drifts.IDENTITY,) for row, _ in seen.strangers}
    if still:
        drifts.drifts_settled(still)


def _change(seen: Comparison, read_at: datetime, applied: Applied) -> None:
    """Write what differs, compared once more under the lock: somebody may have been quicker."""
    users = [change.user for change in seen.changed]
    again = compare(users, rows_read([user.id for user in users], is_locked=True), read_at)
    applied.same += again.same
    applied.stale += again.stale
    changed = _free_of_namesakes(again.changed, applied)
    now = clock.now()
    busy = echoes.ours_under_way([change.row["id"] for change in changed if _is_told(change)])
    written: list[dict[str, Any]] = []
    story: list[EventRow] = []
    for change in changed:
        is_ours = change.row["id"] in busy
        more = cut_columns(change, now, is_ours=is_ours)
        more |= {"missing_since": None} if change.comes_back else {}
        if change.written or more:
            written.append({"id": change.row["id"], **change.written, **more})
        if not is_ours:
            story += lines(change)
    applied.changed += rows_update(written, now)
    events_write(story)
    applied.drifted += _drift(changed)


def _free_of_namesakes(changes: Sequence[Change], applied: Applied) -> list[Change]:
    """Without whoever comes back while somebody else has the name here: identity.py decides first."""
    returning = [change.user.username for change in changes if change.comes_back]
    named = rows_named(returning) if returning else {}
    free = []
    for change in changes:
        other = named.get(change.user.username) if change.comes_back else None
        if other is None or other["id"] == change.row["id"]:
            free.append(change)
        else:
            applied.renamed.append((other, change.user))
    return free


def _is_told(change: Change) -> bool:
    return any(not BY_NAME[name].is_volatile for name in change.written)


def _drift(changes: Iterable[Change]) -> int:
    """Show what the panel has emptied; take off the list what agrees by now."""
    found, settled = [], []
    for change in changes:
        row_id = change.row["id"]
        settled += [(row_id, name) for name in change.written]
        found += [
            drifts.Found(row_id, name, "us", change.row[name], theirs)
            for name, theirs in change.kept.items()
        ]
    if settled:
        ids, fields = {row_id for row_id, _ in settled}, {name for _, name in settled}
        drifts.drifts_close(ids, fields, how=drifts.THEIRS, by="mirror")
    return drifts.drifts_open(found)


def _add(users: Sequence[PanelUser], applied: Applied, *, is_import: bool) -> None:
    """Insert users that we do not have; whose name we know belongs to somebody who is known."""
    named = rows_named([user.username for user in users])
    fresh = []
    for user in users:
        row = named.get(user.username)
        if row is None:
            fresh.append(user)
        else:
            applied.renamed.append((row, user))
    added = rows_insert([columns_of(user) for user in fresh], clock.now())
    applied.created += len(added)
    if not is_import:
        events_write(
            EventRow(
                subscriber_id=added[user.id],
                kind="panel_appeared",
                source="panel",
                data={"username": user.username, "until": user.expire_at.isoformat()},
            )
            for user in fresh
            if user.id in added
        )


def stranger_unbind(row: Row, user: PanelUser) -> None:
    """The number of a subscriber belongs to another person now: nothing may be written to it for him.

    Our row keeps what it has and loses its number; who he is in the panel now is shown as drift.
    """
    rows_update([{"id": row["id"], "panel_id": None, "panel_uuid": None}], clock.now())
    drifts.drifts_open(
        [
            drifts.Found(
                row["id"],
                drifts.IDENTITY,
                "us",
                {"panel_id": row["panel_id"], "username": row["username"]},
                {"panel_id": user.id, "username": user.username},
            )
        ]
    )
    events_write(
        [
            EventRow(
                subscriber_id=row["id"],
                kind="panel_lost",
                source="mirror",
                data={"number": user.id, "other": user.username},
            )
        ]
    )
