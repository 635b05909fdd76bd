"""Long lists as parameters of one statement, in the text form of Postgres arrays.

The driver writes a list element by element in Python, with the interpreter lock held: for a thousand
targets that takes longer than the statement's own round trip, and everybody else waits.
Source of the form: postgresql.org/docs/18/arrays.html, section 8.15.6.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID


def ints(values: Iterable[int | None]) -> str:
    """For %s::bigint[], %s::integer[], %s::smallint[]."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def uuids(values: Iterable[UUID]) -> str:
    """For %s::uuid[]."""
    return "{" + ",".join([value.hex for value in values]) + "}"


def texts(values: Sequence[str | None]) -> str:
    """For %s::text[]. Between quotes only the quote and the backslash mean something."""
    if None not in values:
        joined = '","'.join(values)  # type: ignore[arg-type]
        # As many quotes as we have put there, and no backslash: nothing to escape.
        if "\\" not in joined and joined.count('"') == 2 * max(len(values) - 1, 0):
            return f'{{"{joined}"}}' if values else "{}"
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
