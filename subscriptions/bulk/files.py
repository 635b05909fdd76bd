"""A CSV file as a list of subscribers: one column says who, by whichever of our names it is called."""

from typing import BinaryIO

from lib.errors import InputInvalid
from lib.tables import TableInvalid, columns_find, table_rows
from subscriptions.bulk.selection import LIST_MOST

# Our lists, and what others call their columns, best first.
_COLUMNS = {
    "panel_ids": {"panelid", "userid", "id"},
    "user_uuids": {"uuid", "useruuid"},
    "usernames": {"username", "login", "name", "user"},
    "subscriber_ids": {"subscriberid"},
}


class FileInvalid(InputInvalid):
    """The file cannot be read as a CSV list of subscribers."""

    code = "invalid_file"


def names_read(file: BinaryIO) -> dict[str, list[str]]:
    """A selection as bulk_start takes it: {"usernames": [...]}, empty cells dropped.

    A file of one column needs no heading if it holds names. Raises FileInvalid.
    """
    field, place, names = "", 0, list[str]()
    try:
        for number, cells in table_rows(file):
            if not field:
                field, place, is_heading = _column(cells)
                if is_heading:
                    continue
            if place < len(cells) and cells[place]:
                names.append(cells[place])
            if len(names) > LIST_MOST:
                raise FileInvalid(f"line {number}: a file may name {LIST_MOST} at most")
    except TableInvalid as exc:
        raise FileInvalid(str(exc)) from None
    if not field:
        raise FileInvalid("the file is empty")
    return {field: names}


def _column(first: list[str]) -> tuple[str, int, bool]:
    found = columns_find(first, _COLUMNS)
    for field in _COLUMNS:
        if field in found:
            return field, found[field], True
    if len(first) == 1:
        return "usernames", 0, False
    raise FileInvalid(
        "no column says who it is: call one username, panel_id, uuid or subscriber_id"
    )
