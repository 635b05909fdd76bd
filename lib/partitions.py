"""Tables that are partitioned by day, so that what is old goes by dropping whole tables.

`<table>_YYYYMMDD` holds one day (UTC); `<table>_other`, the default partition, holds the rows of days that
nobody had prepared, and its storage parameters are those of each new day. The key is one column: a
timestamptz, or a uuid of version 7, whose first 48 bits are milliseconds.

An app says in `ready` which tables it has: `partitioned_table("node_sample", "at", keep=...)`; the job
reports.prepare_partitions then makes their days ahead.

Locks: a day that is made or dropped needs the table for a moment; lib.patience says how it is had.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import sql

from lib import clock
from lib.patience import patiently

AHEAD = 3
BATCH = 1_000  # rows of the rest that are deleted at once

Keep = timedelta | Callable[[], timedelta]


class NotPartitioned(ValueError):
    """The table is not partitioned by that column."""


@dataclass(frozen=True)
class DayTable:
    """A table that an app has entered. keep None: the app drops its days by itself."""

    table: str
    column: str
    keep: Keep | None
    ahead: int

    @property
    def kept(self) -> timedelta | None:
        """How long its days are kept, by the settings of now."""
        return self.keep() if callable(self.keep) else self.keep


_entered: dict[str, DayTable] = {}


def partitioned_table(
    table: str, column: str, *, keep: Keep | None = None, ahead: int = AHEAD
) -> None:
    """Enter a table, in `AppConfig.ready`. keep: a span, or a function that reads it from the settings."""
    _entered[table] = DayTable(table, column, keep, ahead)


def partitioned_tables() -> list[DayTable]:
    """All that were entered."""
    return list(_entered.values())


def days_prepare(table: str, column: str, *, ahead: int = AHEAD) -> list[date]:
    """Make the partitions of today and the next days. Returns the days that were missing.

    Repeat-safe, from several sides at once too. Rows of such a day that stand in the rest move over.
    Raises NotPartitioned, TableBusy.
    """
    key = _key(table)
    if key.column != column:
        raise NotPartitioned(f"{table} is partitioned by {key.column}, not by {column}")
    missing = days_missing(table, ahead=ahead)
    for day in missing:
        patiently(table, partial(_make, table, key, day))
    return missing


def days_missing(table: str, *, ahead: int = AHEAD) -> list[date]:
    """Those of today and the next days that nobody has made yet."""
    today, kept = clock.now().date(), set(days_kept(table))
    wanted = [today + timedelta(days=each) for each in range(ahead + 1)]
    return [day for day in wanted if day not in kept]


def days_kept(table: str) -> list[date]:
    """The days that a table has, the oldest first."""
    found = _rows(
        """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(%s)""",
        [_quoted(table)],
    )
    days = [re.fullmatch(rf"{table}_(\d{{4}})(\d\d)(\d\d)", name) for (name,) in found]
    return sorted(date(int(day[1]), int(day[2]), int(day[3])) for day in days if day)


def days_drop(table: str, before: date, *, dry_run: bool = False) -> list[str]:
    """Drop the days that are older, and delete such rows of the rest, in batches.

    Returns the names of the partitions, the oldest first. Repeat-safe. Raises TableBusy; what was
    dropped until then stays dropped.
    """
    names = [day_name(table, day) for day in days_kept(table) if day < before]
    if not dry_run:
        for name in names:
            patiently(table, partial(_run, _drop(name)))
        while rest_delete(table, before) == BATCH:
            pass
    return names


def rest_delete(table: str, before: date) -> int:
    """Delete up to BATCH rows of the rest that are older. Returns how many; rows in use are left."""
    key = _key(table)
    rest, column = sql.Identifier(f"{table}_other"), sql.Identifier(key.column)
    return _run(
        sql.SQL(
            """DELETE FROM {rest} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {rest} WHERE {column} < {bound} LIMIT {most} FOR UPDATE SKIP LOCKED))"""
        ).format(
            rest=rest, column=column, bound=sql.Literal(key.bound(before)), most=sql.Literal(BATCH)
        )
    )


def rest_count(table: str, *, most: int = BATCH) -> int:
    """How many rows stand in the rest, counted up to `most`. Should be none."""
    query = sql.SQL("SELECT count(*) FROM (SELECT FROM {} LIMIT {}) q").format(
        sql.Identifier(f"{table}_other"), sql.Literal(most)
    )
    return int(_rows(query)[0][0])


def day_name(table: str, day: date) -> str:
    """The partition of a day."""
    return f"{table}_{day:%Y%m%d}"


@dataclass(frozen=True)
class _Key:
    """The column by which a table is partitioned, and how its days are bounded."""

    column: str
    is_uuid: bool

    def bound(self, day: date) -> datetime | UUID:
        """The first value of a day."""
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return UUID(int=int(begin.timestamp() * 1000) << 80) if self.is_uuid else begin


def _key(table: str) -> _Key:
    found = _rows(
        """SELECT a.attname, a.atttypid::regtype::text FROM pg_partitioned_table p
        JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = to_regclass(%s) AND p.partstrat = 'r' AND p.partnatts = 1""",
        [_quoted(table)],
    )
    if not found or found[0][1] not in ("timestamp with time zone", "uuid"):
        raise NotPartitioned(f"{table} is not partitioned by the time of one column")
    return _Key(found[0][0], found[0][1] == "uuid")


def _make(table: str, key: _Key, day: date) -> None:
    """Make one day, with the rows of it that stand in the rest. In a transaction."""
    name = day_name(table, day)
    _rows("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"partitions:{table}"])
    if _rows("SELECT to_regclass(%s)", [_quoted(name)])[0][0] is not None:
        return
    first, end = sql.Literal(key.bound(day)), sql.Literal(key.bound(day + timedelta(days=1)))
    parts = {
        "table": sql.Identifier(table),
        "day": sql.Identifier(name),
        "rest": sql.Identifier(f"{table}_other"),
        "column": sql.Identifier(key.column),
        "columns": sql.SQL(", ").join(map(sql.Identifier, _columns(table))),
        "first": first,
        "end": end,
    }
    # Numbers are given by the table: a partition with an identity of its own cannot be attached.
    _run(
        sql.SQL("CREATE TABLE {day} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)").format(
            **parts
        )
    )
    for option, value in _storage(f"{table}_other"):
        _run(
            sql.SQL("ALTER TABLE {} SET ({} = {})").format(
                parts["day"], sql.Identifier(option), sql.Literal(value)
            )
        )
    # Nobody may add to the rest meanwhile; attaching takes this lock anyway.
    _run(sql.SQL("LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE").format(**parts))
    _run(
        sql.SQL(
            """WITH moved AS (DELETE FROM {rest} WHERE {column} >= {first} AND {column} < {end}
                RETURNING {columns})
            INSERT INTO {day} ({columns}) SELECT {columns} FROM moved"""
        ).format(**parts)
    )
    _run(
        sql.SQL(
            "ALTER TABLE {table} ATTACH PARTITION {day} FOR VALUES FROM ({first}) TO ({end})"
        ).format(**parts)
    )


def _columns(table: str) -> list[str]:
    """Those that a row is written with, by name: the rest may have them in another order."""
    found = _rows(
        """SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0
        AND NOT attisdropped AND attgenerated = '' ORDER BY attnum""",
        [_quoted(table)],
    )
    return [name for (name,) in found]


def _storage(table: str) -> Iterator[Sequence[str]]:
    """(name, value) of each storage parameter."""
    query = "SELECT unnest(reloptions) FROM pg_class WHERE oid = to_regclass(%s)"
    for (option,) in _rows(query, [_quoted(table)]):
        yield option.split("=", 1)


def _drop(name: str) -> sql.Composed:
    return sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name))


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _rows(query: str | sql.Composed, params: Sequence[Any] | None = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_text(query), params)
        return list(cursor.fetchall())


def _run(query: sql.Composed) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_text(query))
        return int(cursor.rowcount)


def _text(query: str | sql.Composed) -> str:
    """As text, which Django's cursor can log; names and values are quoted by then."""
    return query if isinstance(query, str) else query.as_string(connection.connection)
