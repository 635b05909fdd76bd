"""Reading what is exported: chunk by chunk along the key, each as text that the database has written.

Each chunk is a statement of its own. So no snapshot is held for longer than a chunk takes and vacuum goes
on; a killed or cancelled export stops within a chunk; and memory is that of one chunk, however many rows
there are. What it costs: a row is as it was when its chunk was read, not all as of one moment. No row
comes twice or is left out, for keys never change. Measured against one snapshot: docs/exports.md.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from jobs import sql
from reports.exports.models import Export, ExportFormat
from reports.exports.sources import source_get
from reports.exports.sources.source import Source

CHUNK = 5_000  # rows of one statement
# Bytes that no JSON text holds unescaped: with them COPY writes it as it is.
_RAW = "(FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01')"
_CSV = "(FORMAT csv)"


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read: a source with its filter, range and columns, and the form of the lines."""

    source: Source
    filters: Mapping[str, Any]
    since: datetime | None
    until: datetime | None
    columns: Sequence[str]
    format: str

    def rows(self) -> QuerySet[Any]:
        """All rows of it, in any order. Raises FilterInvalid."""
        read = self.source.filters_read(self.filters)
        return self.source.rows(read, self.since, self.until).order_by()


def selection_of(export: Export) -> Selection:
    """What an export is about."""
    return Selection(
        source=source_get(export.type),
        filters=export.filters,
        since=export.since,
        until=export.until,
        columns=export.columns,
        format=export.format,
    )


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines as they go into the file. last: the key of the last of them."""

    body: bytes
    rows: int
    last: str


def heading(selection: Selection) -> bytes:
    """The first line of a CSV file; nothing for JSON lines."""
    if selection.format != ExportFormat.CSV:
        return b""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(selection.columns)
    return text.getvalue().encode()


def chunks(selection: Selection, *, size: int = CHUNK) -> Iterator[Chunk]:
    """All that is there now, in the order of the keys; what comes later than this call is left out.

    Asks the database between two chunks only, and holds no transaction between them.
    """
    rows, after = selection.rows(), None
    bounds = key_bounds(selection.source, rows)
    if bounds is not None:
        rows = rows.filter(pk__lte=bounds[1])
    while True:
        page = rows if after is None else rows.filter(pk__gt=after)
        chunk = _read(selection, page.order_by("pk")[:size])
        if chunk.rows:
            yield chunk
        if chunk.rows < size:
            return
        after = chunk.last


def key_bounds(source: Source, rows: QuerySet[Any]) -> tuple[Any, Any] | None:
    """The first and the last key of the whole table now; None if they say nothing, or there are none."""
    if not source.key_is_ordered:
        return None
    every = rows.model.objects.order_by("pk").values_list("pk", flat=True)
    first, last = every.first(), every.last()
    return None if first is None else (first, last)


def share_done(bounds: tuple[Any, Any] | None, key: str) -> float | None:
    """How much of the table lies before a key, from 0 to 1. Keys are numbers, or UUIDs that are times."""
    if bounds is None:
        return None
    first, last = (int(each) for each in bounds)
    at = UUID(key).int if isinstance(bounds[0], UUID) else int(key)
    return 1.0 if last <= first else min(1.0, max(0.0, (at - first) / (last - first)))


def rows_estimate(selection: Selection) -> int:
    """About how many rows, as the planner believes. Counts nothing. Raises FilterInvalid."""
    plan = json.loads(selection.rows().values("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def sample(selection: Selection, *, most: int = 3) -> list[list[str]]:
    """The cells of the first rows, as they will be in the file. Raises FilterInvalid."""
    shown = Selection(
        selection.source, selection.filters, selection.since, selection.until,
        selection.columns, ExportFormat.CSV,
    )  # fmt: skip
    chunk = _read(shown, shown.rows().order_by("pk")[:most])
    return list(csv.reader(io.StringIO(chunk.body.decode(), newline="")))


def _read(selection: Selection, page: QuerySet[Any]) -> Chunk:
    """One statement. A message of COPY is a row (PostgreSQL, "COPY Operations"), its first cell the key."""
    statement, params = _statement(selection, page)
    lines: list[bytes] = []
    add, mark = lines.append, b"," if selection.format == ExportFormat.CSV else b"\x02"
    key = b""
    # COPY takes no parameters of the server's, so the driver writes them into the text.
    with connection.cursor() as cursor, cursor.copy(cursor.mogrify(statement, params)) as copy:
        for message in copy:
            key, _, line = bytes(message).partition(mark)
            add(line)
    return Chunk(b"".join(lines), len(lines), key.decode())


def _statement(selection: Selection, page: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    known = {column.name: column for column in selection.source.columns}
    chosen = [known[name] for name in selection.columns]
    if selection.format == ExportFormat.CSV:
        inner, params = _compiled(page, [column.in_csv for column in chosen])
        return f"COPY ({inner}) TO STDOUT {_CSV}", params
    inner, params = _compiled(page, [column.in_json for column in chosen])
    names = ", ".join(_quoted(column.name) for column in chosen)
    keys = ", ".join(f"i.{_quoted(column.name)}" for column in chosen)
    return (
        f"COPY (SELECT i.export_key, row_to_json(j) FROM ({inner}) AS i (export_key, {names}) "
        f"CROSS JOIN LATERAL (SELECT {keys}) AS j) TO STDOUT {_RAW}",
        params,
    )


def _compiled(page: QuerySet[Any], values: list[Any]) -> tuple[str, tuple[Any, ...]]:
    query = page.values_list("pk", *values).query
    text, params = query.get_compiler("default").as_sql()
    return text, tuple(params)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def statements_timeout(milliseconds: int) -> None:
    """Let the statements of this transaction take no longer, for pages that people wait for."""
    sql.run("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
