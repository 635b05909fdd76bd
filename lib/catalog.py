"""What the catalog of Postgres says of a table, and statements whose names are not known before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import sql


class NotPartitioned(ValueError):
    """The table is not partitioned by that column."""


@dataclass(frozen=True)
class Key:
    """The column by which a table is partitioned, and how its days are bounded."""

    column: str
    is_uuid: bool

    def bound(self, day: date) -> datetime | UUID:
        """The first value of a day."""
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return UUID(int=int(begin.timestamp() * 1000) << 80) if self.is_uuid else begin


def key_of(table: str) -> Key:
    """By what a table is partitioned. Raises NotPartitioned."""
    found = rows(
        """SELECT a.attname, a.atttypid::regtype::text FROM pg_partitioned_table p
        JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = to_regclass(%s) AND p.partstrat = 'r' AND p.partnatts = 1""",
        [quoted(table)],
    )
    if not found or found[0][1] not in ("timestamp with time zone", "uuid"):
        raise NotPartitioned(f"{table} is not partitioned by the time of one column")
    return Key(found[0][0], found[0][1] == "uuid")


def columns_of(table: str) -> list[str]:
    """Those that a row is written with, by name: the rest may have them in another order."""
    found = rows(
        """SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0
        AND NOT attisdropped AND attgenerated = '' ORDER BY attnum""",
        [quoted(table)],
    )
    return [name for (name,) in found]


def storage_of(table: str) -> Iterator[Sequence[str]]:
    """(name, value) of each storage parameter."""
    query = "SELECT unnest(reloptions) FROM pg_class WHERE oid = to_regclass(%s)"
    for (option,) in rows(query, [quoted(table)]):
        yield option.split("=", 1)


def quoted(name: str) -> str:
    """A name as it stands in a statement."""
    return connection.ops.quote_name(name)


def rows(query: str | sql.Composed, params: Sequence[Any] | None = None) -> list[Any]:
    """All rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(_text(query), params)
        return list(cursor.fetchall())


def run(query: sql.Composed) -> int:
    """Run a statement. Returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(_text(query))
        return int(cursor.rowcount)


def _text(query: str | sql.Composed) -> str:
    """As text, which Django's cursor can log; names and values are quoted by then."""
    return query if isinstance(query, str) else query.as_string(connection.connection)
