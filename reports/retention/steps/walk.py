"""A big table whose numbers grow with its age: walked from the oldest row on, in short transactions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import transaction

from jobs import sql
from reports.retention.steps.base import BATCH, Gone, Note, bytes_per_row

LOOKED_AT = 20_000  # rows that a dry run reads before it relies on statistics

# Locked rows are skipped: whoever holds one may be about to need it, and the next run comes.
# What is chosen is looked at again under its lock.
_PIECE = """
WITH chunk AS MATERIALIZED (
    SELECT t.id, {goes} AS goes, t.{born} < %(before)s AS is_old
    FROM {table} t WHERE t.id > %(after)s ORDER BY t.id LIMIT %(batch)s
), chosen AS MATERIALIZED (
    SELECT t.id FROM {table} t
    WHERE t.id = ANY (SELECT id FROM chunk WHERE goes) AND {goes} FOR UPDATE SKIP LOCKED
){also}, gone AS (
    DELETE FROM {table} t USING chosen c WHERE t.id = c.id RETURNING 1
)
SELECT (SELECT count(*) FROM gone), (SELECT max(id) FROM chunk), (SELECT count(*) FROM chunk),
    (SELECT bool_or(is_old) FROM chunk)
"""
_LOOK = """
SELECT count(*) FILTER (WHERE goes), count(*), coalesce(bool_or(is_old) FILTER (WHERE is_last), false),
    max(id)
FROM (
    SELECT t.id, {goes} AS goes, t.{born} < %(before)s AS is_old,
        row_number() OVER (ORDER BY t.id) > %(batch)s - 100 AS is_last
    FROM (SELECT * FROM {table} ORDER BY id LIMIT %(batch)s) t
) q
"""


@dataclass(frozen=True, slots=True)
class Walk:
    """Rows of `table` (aliased t, primary key id) for which `goes` is true.

    goes: a condition with %(before)s, the moment before which things go. born: the column that grows
    with the id; where it is not before that moment for a whole batch, the walk is over. also: a
    further change that belongs to a piece, as WITH queries that may read `chosen`.
    """

    table: str
    born: str
    goes: str
    keep: timedelta
    also: str = ""

    def remove(self, now: datetime, note: Note) -> Iterator[None]:
        piece = self._query(_PIECE)
        size = bytes_per_row(self.table)
        after = -(2**63)
        while True:
            params = {"before": now - self.keep, "after": after, "batch": BATCH}
            with transaction.atomic():
                found = sql.row(piece, params)
                count, last, seen, is_old = found or (0, None, 0, False)
                if count:
                    note(Gone(count, round(count * size)))
            yield
            if seen < BATCH or not is_old:
                return
            after = last

    def count(self, now: datetime) -> Gone:
        params = {"before": now - self.keep, "batch": LOOKED_AT}
        goes, seen, has_more, last = sql.rows(self._query(_LOOK), params)[0]
        size = bytes_per_row(self.table)
        if seen == LOOKED_AT and has_more:
            rest = f"SELECT FROM {self.table} t WHERE t.id > %(last)s AND {self.goes}"
            goes += _planned(rest, {**params, "last": last})
            return Gone(goes, round(goes * size), is_estimate=True)
        return Gone(goes, round(goes * size))

    def _query(self, text: str) -> str:
        also = f", {self.also}" if self.also else ""
        return text.format(table=self.table, born=self.born, goes=f"({self.goes})", also=also)


def _planned(query: str, params: dict[str, Any]) -> int:
    """How many rows the planner expects."""
    ((plan,),) = sql.rows(f"EXPLAIN (FORMAT JSON) {query}", params)
    tree = orjson.loads(plan) if isinstance(plan, str) else plan
    return int(tree[0]["Plan"]["Plan Rows"])
