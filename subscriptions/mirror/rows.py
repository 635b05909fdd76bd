"""Reading and writing the mirror, many rows by one statement."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from jobs import sql
from jobs.compiled import rows_of
from subscriptions.mirror.owners import BY_NAME, FIELDS, NAMES

READ = ("id", *NAMES, "cut_by", "missing_since", "mirrored_at")
_COLUMNS = ", ".join(READ)
_MOMENTS = (
    *(field.name for field in FIELDS if field.sql_type == "timestamptz"),
    "missing_since",
    "mirrored_at",
)
_TYPED = ", ".join(f"{field.name} {field.sql_type}" for field in FIELDS)
_INSERT = f"""
INSERT INTO subscriber ({", ".join(NAMES)}, mirrored_at, created_at)
SELECT {", ".join(NAMES)}, %(now)s, %(now)s FROM jsonb_to_recordset(%(rows)s::jsonb) AS v ({_TYPED})
ON CONFLICT DO NOTHING RETURNING id, panel_id
"""


def rows_read(panel_ids: Collection[int], *, is_locked: bool = False) -> dict[int, dict[str, Any]]:
    """Our rows of these users, by panel_id. is_locked: FOR NO KEY UPDATE, by id."""
    lock = "ORDER BY id FOR NO KEY UPDATE" if is_locked else ""
    query = f"SELECT {_COLUMNS} FROM subscriber WHERE panel_id = ANY(%s) {lock}"
    found = rows_of(query, [list(panel_ids)])
    rows = (_row(each) for each in found)
    return {row["panel_id"]: row for row in rows}


def rows_named(usernames: Collection[str]) -> dict[str, dict[str, Any]]:
    """Our rows of these names, by name; those who are gone do not count."""
    found = sql.rows(
        f"SELECT {_COLUMNS} FROM subscriber WHERE username = ANY(%s) AND missing_since IS NULL",
        [list(usernames)],
    )
    rows = (_row(each) for each in found)
    return {row["username"]: row for row in rows}


def _row(values: Sequence[Any]) -> dict[str, Any]:
    row = dict(zip(READ, values, strict=True))
    row["squads"] = sorted(row["squads"])
    # In UTC whatever the zone of the session: in the hour that a zone has twice, moments of two
    # zones are never equal to Python (PEP 495).
    for name in _MOMENTS:
        if row[name] is not None:
            row[name] = row[name].astimezone(UTC)
    return row


def rows_insert(columns: Sequence[Mapping[str, Any]], now: datetime) -> dict[int, int]:
    """Add subscribers; panel_id -> id of those that were added. Whoever is there already is left."""
    if not columns:
        return {}
    added = sql.rows(_INSERT, {"rows": _json(columns), "now": now})
    return {panel_id: row_id for row_id, panel_id in added}


def rows_update(changes: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Write columns of subscribers: each mapping has `id` and the columns that change.

    One statement per set of columns, of which a page has few. Returns how many rows were written.
    """
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for change in changes:
        groups.setdefault(tuple(sorted(change.keys() - {"id"})), []).append(change)
    return sum(_update(names, group, now) for names, group in groups.items())


_MORE = {
    "missing_since": "timestamptz",
    "cut_by": "text",
    "cut_reason": "text",
    "cut_at": "timestamptz",
}


def _update(names: tuple[str, ...], group: list[Mapping[str, Any]], now: datetime) -> int:
    types = {name: BY_NAME[name].sql_type if name in BY_NAME else _MORE[name] for name in names}
    typed = ", ".join(f"{name} {sql_type}" for name, sql_type in types.items())
    sets = ", ".join(f"{name} = v.{name}" for name in names)
    return sql.run(
        f"""UPDATE subscriber s SET {sets}{"," if sets else ""} mirrored_at = %(now)s
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (id bigint{"," if typed else ""} {typed})
        WHERE s.id = v.id""",
        {"rows": _json(group), "now": now},
    )


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows, default=_plain).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):  # of a subclass; its own are written by orjson
        return str(value)
    raise TypeError(f"{type(value).__name__} is no column")
