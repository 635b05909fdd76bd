"""Reading a CSV file of people: its columns, which of them tell who somebody is, and its lines."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO

from notifications.broadcasts.errors import FileInvalid

FIELDS = ("user_id", "login", "telegram_id")
SAMPLE = 5  # lines that a person is shown
LONGEST_LINE = 100_000  # characters
# What others call our fields, in lower case without spaces, dashes and underscores.
_NAMES = {
    "user_id": {"userid", "id", "user", "uid", "customerid", "clientid"},
    "login": {"login", "username", "name", "account"},
    "telegram_id": {"telegramid", "tgid", "telegram", "chatid", "tg"},
}


@dataclass(frozen=True, slots=True)
class Look:
    """The beginning of a file. mapping: our field -> its column, as far as the names tell."""

    columns: list[str]
    sample: list[list[str]]
    mapping: dict[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number in the file, and its cells by our fields; "" where it has none."""

    number: int
    cells: dict[str, str]

    @property
    def text(self) -> str:
        """What a person recognises it by."""
        return ", ".join(cell for cell in self.cells.values() if cell)[:200]


def file_look(file: BinaryIO) -> Look:
    """Read the columns and the first lines. Raises FileInvalid."""
    columns, rows = _open(file)
    return Look(columns, [row for _, row in islice(rows, SAMPLE)], mapping_guess(columns))


def mapping_guess(columns: list[str]) -> dict[str, str]:
    """Which column holds which of our fields, by their names."""
    found: dict[str, str] = {}
    for column in columns:
        plain = re.sub(r"[\s_\-]", "", column).lower()
        for ours, names in _NAMES.items():
            if plain in names and ours not in found:
                found[ours] = column
    return found


def lines_read(
    file: BinaryIO, mapping: Mapping[str, str] | None
) -> tuple[dict[str, str], Iterator[Line]]:
    """The mapping in force, and the lines, one after the other. mapping None: by the names of columns.

    Raises FileInvalid, also while the lines are read.
    """
    columns, rows = _open(file)
    chosen = dict(mapping) if mapping else mapping_guess(columns)
    if strange := set(chosen) - set(FIELDS):
        raise FileInvalid(f"the mapping names {min(strange)}; it takes {', '.join(FIELDS)}")
    for column in chosen.values():
        if column not in columns:
            raise FileInvalid(f"there is no column “{column}”; there are {', '.join(columns)}")
    if not {"user_id", "telegram_id"} & set(chosen):
        raise FileInvalid(
            f"no column says who it is: name one user_id or telegram_id; there are {', '.join(columns)}"
        )
    places = {ours: columns.index(column) for ours, column in chosen.items()}

    def lines() -> Iterator[Line]:
        for number, row in rows:
            cells = {ours: row[at].strip() if at < len(row) else "" for ours, at in places.items()}
            yield Line(number, cells)

    return chosen, lines()


def _open(file: BinaryIO) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    rows = _rows(file)
    try:
        _, first = next(rows)
    except StopIteration:
        raise FileInvalid("the file is empty") from None
    columns = [cell.strip() for cell in first]
    if mapping_guess(columns) or not re.fullmatch(r"-?\d+", columns[0]):
        return columns, rows
    # No heading: the first column holds ids, the second one, if there is one, logins.
    names = ["user_id", "login", *(f"column {n}" for n in range(3, len(columns) + 1))]
    return names[: len(columns)], chain([(1, first)], rows)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines as they stand, none of them endless. Raises FileInvalid."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise FileInvalid(f"line {number} is longer than {LONGEST_LINE:,} characters")
        if "\x00" in line and number == 1:
            raise FileInvalid("this is no text; save the table as CSV")
        if "\x00" in line:
            raise FileInvalid(f"line {number} holds a NUL character")
        yield line


def _rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Lines that hold something, with their numbers. The file stays open: it is the caller's."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    number = 1
    try:
        lines = _lines(text)
        head = next(lines, "")
        reader = csv.reader(chain([head], lines), delimiter=max(",;\t|", key=head.count))
        for row in reader:
            number = reader.line_num
            if any(cell.strip() for cell in row):
                yield number, row
    except UnicodeDecodeError:
        raise FileInvalid("the file is not in UTF-8; save it as “CSV UTF-8”") from None
    except csv.Error as exc:
        raise FileInvalid(f"line {number + 1} cannot be read as CSV: {exc}") from None
    finally:
        text.detach()
