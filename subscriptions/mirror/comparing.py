"""Holding users of the panel against our rows. Pure: nothing is read or written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from subscriptions.mirror.owners import FIELDS, Owner, columns_of
from subscriptions.panel.types import PanelUser

Row = Mapping[
    str, Any
]  # a subscriber: the columns of the mirror, and id, cut_by, missing_since, mirrored_at


@dataclass(frozen=True, slots=True)
class Change:
    """What differs of one subscriber. written: column -> the panel's value; kept: what stays ours."""

    row: Row
    user: PanelUser
    written: dict[str, Any]
    kept: dict[str, Any]  # guarded columns that the panel has emptied, with its value
    comes_back: bool = False  # it had been taken for gone


@dataclass(slots=True)
class Comparison:
    """What became of each user of a page."""

    same: int = 0
    stale: int = 0  # read before something newer was written: left alone
    new: list[PanelUser] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    strangers: list[tuple[Row, PanelUser]] = field(
        default_factory=list
    )  # another person has the id


def compare(users: Sequence[PanelUser], rows: Mapping[int, Row], read_at: datetime) -> Comparison:
    """Sort users into what has to be done about them. rows: by panel_id.

    read_at: before the panel was asked, by our clock. A row that was written later, or that holds
    a later version of the user, is newer than what was read.
    """
    found = Comparison()
    for user in users:
        row = rows.get(user.id)
        if row is None:
            found.new.append(user)
        elif row["username"] != user.username:
            found.strangers.append((row, user))
        elif is_newer(row, user, read_at):
            found.stale += 1
        else:
            change = difference(row, user)
            if change is None:
                found.same += 1
            else:
                found.changed.append(change)
    return found


def is_newer(row: Row, user: PanelUser, read_at: datetime) -> bool:
    """Whether our row holds something newer than a user that was read at read_at."""
    known = row["panel_updated_at"]
    return row["mirrored_at"] > read_at or (known is not None and user.updated_at < known)


def difference(row: Row, user: PanelUser) -> Change | None:
    """What differs between a row and its user; None: nothing does."""
    columns = columns_of(user)
    written: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for each in FIELDS:
        name = each.name
        theirs, ours = columns[name], row[name]
        if theirs == ours or each.owner is Owner.IDENTITY or (each.is_of_v2 and theirs is None):
            continue
        if each.owner is Owner.GUARDED and theirs in (None, ""):
            kept[name] = theirs
        else:
            written[name] = theirs
    comes_back = row["missing_since"] is not None
    if not written and not kept and not comes_back:
        return None
    return Change(row, user, written, kept, comes_back)
