"""Reading a CSV table that people made with whatever they have, line by line, in constant memory."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import BinaryIO

LINE_MOST = 100_000  # characters of one line; csv itself has a limit per cell


class TableInvalid(ValueError):
    """The file is no table that we can read; the text says why, for people."""


def table_rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """(number of the line, its cells, trimmed) of each line that holds something.

    UTF-8 with or without a byte order mark; comma, semicolon, tab or bar, whichever the first line has
    most of. The file stays open. Raises TableInvalid, also amid the reading.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    number = 1
    try:
        head = text.readline(LINE_MOST)
        if "\x00" in head:
            raise TableInvalid("this is no text; save the table as CSV")
        reader = csv.reader(chain([head], _lines(text)), delimiter=max(",;\t|", key=head.count))
        for row in reader:
            number = reader.line_num
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield number, cells
    except UnicodeDecodeError:
        raise TableInvalid("the file is not in UTF-8; save it as “CSV UTF-8”") from None
    except csv.Error as exc:
        raise TableInvalid(f"line {number + 1} cannot be read as CSV: {exc}") from None
    finally:
        text.detach()


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LINE_MOST):
        if "\x00" in line:
            raise TableInvalid("the file holds zero bytes, so it is no CSV")
        yield line


def columns_find(heading: list[str], names: Mapping[str, set[str]]) -> dict[str, int]:
    """{our field: place of its column}, by what people call it: lower case, letters and digits only.

    Of two columns for one field the first counts.
    """
    found: dict[str, int] = {}
    for place, cell in enumerate(heading):
        plain = re.sub(r"[^a-z0-9]", "", cell.lower())
        for field, known in names.items():
            if plain in known and field not in found:
                found[field] = place
    return found
