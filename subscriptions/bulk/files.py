"""A CSV file as a list of subscribers: one column says who, by whichever of our names it is called."""

import csv
import io
import re
from typing import BinaryIO

from lib.errors import InputInvalid
from subscriptions.bulk.selection import LIST_MOST

MAX_BYTES = 16 * 1024 * 1024
_LINE_MOST = 10_000  # characters

# Our lists, and what others call their columns (lower case, letters and digits only), best first.
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

    UTF-8 with or without a byte order mark, comma, semicolon or tab; a file of one column needs no
    heading if it holds names. Raises FileInvalid.
    """
    raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise FileInvalid(f"the file is larger than {MAX_BYTES // 1024**2} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileInvalid("the file is not UTF-8: save it as CSV UTF-8") from None
    if "\x00" in text:
        raise FileInvalid("the file holds zero bytes, so it is no CSV")
    first = text.partition("\n")[0][:_LINE_MOST]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
    except csv.Error as exc:
        raise FileInvalid(f"the file is no CSV: {exc}") from None
    if not rows:
        raise FileInvalid("the file is empty")
    if len(rows) > LIST_MOST + 1:
        raise FileInvalid(f"the file has more than {LIST_MOST} lines")
    field, place, rest = _column(rows)
    return {field: [row[place].strip() for row in rest if place < len(row) and row[place].strip()]}


def _column(rows: list[list[str]]) -> tuple[str, int, list[list[str]]]:
    heading = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in rows[0]]
    for field, names in _COLUMNS.items():
        for place, cell in enumerate(heading):
            if cell in names:
                return field, place, rows[1:]
    if all(len(row) == 1 for row in rows):
        return "usernames", 0, rows
    raise FileInvalid(
        "no column says who it is: call one username, panel_id, uuid or subscriber_id"
    )
