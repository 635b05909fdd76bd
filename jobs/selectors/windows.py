"""Pages of long tables, newest first, without counting and without sorting what nobody sees.

A filter that an index answers in the order of the ids is read as it is. What else is asked for is looked for
in windows of rows, until a page is full or a moment has passed: then the page says how far back it looked,
and the next one goes on from there.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from jobs import sql


@dataclass(frozen=True, slots=True)
class Found:
    """The ids of a page, newest first; where the next page starts (None: this was the last); and how far
    back it looked, if it stopped before the page was full."""

    ids: list[int]
    after: int | None
    looked_to: datetime | None = None


def ids_in_order(rows: QuerySet[Any], *, after: int | None, size: int) -> Found:
    """A page of rows that come by `-id` from an index. One query."""
    return _page(_ids(_older(rows, after)[: size + 1]), size)


def ids_in_windows(
    rows: QuerySet[Any],
    matching: QuerySet[Any],
    *,
    after: int | None,
    size: int,
    window: int,
    budget_s: float,
) -> Found:
    """A page of `matching`, a part of `rows`, which come by `-id` from an index. Two queries per window.

    window: rows that are looked at together. budget_s: after that no further window is opened.
    """
    found, began = list[int](), time.monotonic()
    while True:
        lowest = _window_end(_older(rows, after), window)
        if lowest is None:
            return _page(found, size)
        within = _older(matching, after).filter(pk__gte=lowest)
        found += _ids(within[: size + 1 - len(found)])
        if len(found) > size:
            return _page(found, size)
        after = lowest
        if time.monotonic() - began > budget_s:
            made_at = rows.values_list("created_at", flat=True).get(pk=lowest)
            return Found(found, lowest, made_at)


def first_id(table: str, moment: datetime) -> int:
    """The first id made at that moment or later, by `created_at`. One query of some 20 steps on the
    primary key. table is a name of ours, no input."""
    found = sql.row(
        f"""WITH RECURSIVE bisect (low, high) AS (
            SELECT min(id), max(id) + 1 FROM {table}
            UNION ALL
            SELECT CASE WHEN probe.created_at < %(moment)s THEN probe.id + 1 ELSE b.low END,
                CASE WHEN probe.created_at < %(moment)s THEN b.high ELSE (b.low + b.high) / 2 END
            FROM bisect b CROSS JOIN LATERAL (
                SELECT d.id, d.created_at FROM {table} d
                WHERE d.id >= (b.low + b.high) / 2 ORDER BY d.id LIMIT 1
            ) probe WHERE b.low < b.high
        ) SELECT max(low) FROM bisect""",
        {"moment": moment},
    )
    return int(found[0]) if found and found[0] is not None else 0


def _window_end(rows: QuerySet[Any], window: int) -> int | None:
    """The lowest id of the next window; None if there are no more rows.

    The last window has an end, too: else the database might read on to the beginning of the table.
    """
    found = _ids(rows[window - 1 : window]) or _ids(rows.order_by("pk")[:1])
    return found[0] if found else None


def _older(rows: QuerySet[Any], after: int | None) -> QuerySet[Any]:
    return rows if after is None else rows.filter(pk__lt=after)


def _ids(rows: QuerySet[Any]) -> list[int]:
    """Ids alone are read from an index that has them in order, whatever else a row holds."""
    return list(rows.values_list("pk", flat=True))


def _page(ids: list[int], size: int) -> Found:
    return Found(ids[:size], ids[size - 1] if len(ids) > size else None)
