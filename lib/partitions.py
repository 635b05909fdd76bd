"""Tables that are partitioned by day, so that what is old goes by dropping whole tables.

`<table>_YYYYMMDD` holds one day (UTC); `<table>_other`, the default partition, holds the rows of days that
nobody had prepared, and its storage parameters are those of each new day. A table that got its days
later keeps what it had in `<table>_before_YYYYMMDD`, all that is older than that day. The key is one
column: a timestamptz, or a uuid of version 7, whose first 48 bits are milliseconds.

An app says in `ready` which tables it has: `partitioned_table("node_sample", "at", keep=...)`; the job
reports.prepare_partitions then makes their days ahead.

Locks: a day that is made or dropped needs the table for a moment; lib.patience says how it is had.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from django.db import transaction
from psycopg import sql

from lib import catalog, clock
from lib.partition_names import Parts, before_name, day_name, parts_of, rest_name
from lib.patience import patiently

AHEAD = 3
BATCH = 1_000  # rows of the rest that are deleted at once

Keep = timedelta | Callable[[], timedelta]


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


@dataclass(frozen=True)
class Day:
    """A partition: its bytes with indexes, its rows as the planner knows them."""

    name: str
    bytes: int
    rows: int


_entered: dict[str, DayTable] = {}


def partitioned_table(
    table: str, column: str, *, keep: Keep | None = None, ahead: int = AHEAD
) -> None:
    """Enter a table, in `AppConfig.ready`. keep: a span, or a function that reads it from the settings."""
    _entered[table] = DayTable(table, column, keep, ahead)


def partitioned_tables() -> list[DayTable]:
    """All that were entered."""
    return list(_entered.values())


def is_in_days(table: str) -> bool:
    """Whether the table is partitioned already: its migration may still be to come."""
    return table in parts_of([table])


def days_prepare(table: str, column: str, *, ahead: int = AHEAD) -> list[date]:
    """Make the partitions of today and the next days. Returns the days that were missing.

    Repeat-safe, from several sides at once too. Rows of such a day that stand in the rest move over.
    Raises NotPartitioned, TableBusy.
    """
    key = catalog.key_of(table)
    if key.column != column:
        raise catalog.NotPartitioned(f"{table} is partitioned by {key.column}, not by {column}")
    missing = days_missing(table, ahead=ahead)
    for day in missing:
        patiently(table, partial(_make, table, key, day))
    return missing


def days_missing(table: str, *, ahead: int = AHEAD) -> list[date]:
    """Those of today and the next days that nobody has made yet."""
    return _parts(table).missing(ahead)


def days_kept(table: str) -> list[date]:
    """The days that a table has, the oldest first; what stands in one piece before them is left out."""
    return _parts(table).days


def days_old(table: str, before: date) -> list[Day]:
    """The partitions that hold nothing but older days, the oldest first."""
    parts = _parts(table)
    old = [day_name(table, day) for day in parts.days if day < before]
    if parts.before is not None and parts.before <= before:
        old.insert(0, before_name(table, parts.before))
    found = catalog.rows(
        """SELECT relname, pg_total_relation_size(oid), greatest(reltuples, 0)::bigint FROM pg_class
        WHERE relname = ANY (%s) AND relnamespace = current_schema()::regnamespace""",
        [old],
    )
    sizes = {name: (size, rows) for name, size, rows in found}
    return [Day(name, *sizes[name]) for name in old if name in sizes]


def days_drop(table: str, before: date, *, dry_run: bool = False) -> list[str]:
    """Drop the days that are older, and delete such rows of the rest, in batches.

    Returns the names of the partitions, the oldest first. Repeat-safe. Raises TableBusy; what was
    dropped until then stays dropped.
    """
    names = [day.name for day in days_old(table, before)]
    if not dry_run:
        for name in names:
            day_drop(table, name)
        while rest_delete(table, before) == BATCH:
            pass
    return names


def day_drop(table: str, name: str, *, noted: Callable[[], None] | None = None) -> None:
    """Drop one partition; `noted` is called in the same transaction. Repeat-safe. Raises TableBusy."""

    def change() -> None:
        catalog.run(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(name)))
        if noted is not None:
            noted()

    patiently(table, change)


def rest_delete(table: str, before: date, *, noted: Callable[[int], None] | None = None) -> int:
    """Delete up to BATCH rows of the rest that are older. Returns how many; rows in use are left.

    noted: called with the number in the same transaction, if it is not 0.
    """
    query = sql.SQL(
        """DELETE FROM {rest} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {rest} WHERE {column} < {bound} LIMIT {most} FOR UPDATE SKIP LOCKED))"""
    )
    with transaction.atomic():
        count = catalog.run(query.format(**_rest(table, before)))
        if count and noted is not None:
            noted(count)
    return count


def rest_count(table: str, before: date | None = None) -> int:
    """How many rows stand in the rest (there should be none), counted up to BATCH. before: the older ones."""
    where = "WHERE {column} < {bound}" if before else ""
    query = sql.SQL("SELECT count(*) FROM (SELECT FROM {rest} " + where + " LIMIT {most}) q")
    return int(catalog.rows(query.format(**_rest(table, before or clock.now().date())))[0][0])


def rests_count(tables: Collection[str]) -> dict[str, int]:
    """The same of many tables, all of them partitioned, in one query."""
    each = [
        sql.SQL("SELECT {name}, count(*) FROM (SELECT FROM {rest} LIMIT {most}) q").format(
            name=sql.Literal(table), rest=sql.Identifier(rest_name(table)), most=sql.Literal(BATCH)
        )
        for table in tables
    ]
    return dict(catalog.rows(sql.SQL(" UNION ALL ").join(each))) if each else {}


def _parts(table: str) -> Parts:
    return parts_of([table]).get(table, Parts([], None))


def _rest(table: str, before: date) -> dict[str, sql.Composable]:
    """The parts of a statement about old rows of the rest."""
    key = catalog.key_of(table)
    return {
        "rest": sql.Identifier(rest_name(table)),
        "column": sql.Identifier(key.column),
        "bound": sql.Literal(key.bound(before)),
        "most": sql.Literal(BATCH),
    }


def _make(table: str, key: catalog.Key, day: date) -> None:
    """Make one day, with the rows of it that stand in the rest. In a transaction."""
    name = day_name(table, day)
    catalog.rows("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"partitions:{table}"])
    if catalog.rows("SELECT to_regclass(%s)", [catalog.quoted(name)])[0][0] is not None:
        return
    first, end = sql.Literal(key.bound(day)), sql.Literal(key.bound(day + timedelta(days=1)))
    parts = {
        "table": sql.Identifier(table),
        "day": sql.Identifier(name),
        "rest": sql.Identifier(rest_name(table)),
        "column": sql.Identifier(key.column),
        "columns": sql.SQL(", ").join(map(sql.Identifier, catalog.columns_of(table))),
        "first": first,
        "end": end,
    }
    # Numbers are given by the table: a partition with an identity of its own cannot be attached.
    catalog.run(
        sql.SQL("CREATE TABLE {day} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)").format(
            **parts
        )
    )
    for option, value in catalog.storage_of(rest_name(table)):
        catalog.run(
            sql.SQL("ALTER TABLE {} SET ({} = {})").format(
                parts["day"], sql.Identifier(option), sql.Literal(value)
            )
        )
    # Nobody may add to the rest meanwhile; attaching takes this lock anyway.
    catalog.run(sql.SQL("LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE").format(**parts))
    catalog.run(
        sql.SQL(
            """WITH moved AS (DELETE FROM {rest} WHERE {column} >= {first} AND {column} < {end}
                RETURNING {columns})
            INSERT INTO {day} ({columns}) SELECT {columns} FROM moved"""
        ).format(**parts)
    )
    catalog.run(
        sql.SQL(
            "ALTER TABLE {table} ATTACH PARTITION {day} FOR VALUES FROM ({first}) TO ({end})"
        ).format(**parts)
    )
