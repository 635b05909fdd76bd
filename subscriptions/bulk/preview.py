"""What an operation would do, before anything is done."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jobs import sql
from lib import clock
from subscriptions.bulk.rules import REASONS, params_check, say_kind, skip_sql
from subscriptions.bulk.selection import Selection, selection_for
from subscriptions.filtering import filter_query
from subscriptions.models import BulkKind, Subscriber

SAMPLE = 20
_PLACE = re.compile(r"(?<!%)%s")  # of a parameter, in what the ORM makes


@dataclass(frozen=True, slots=True)
class Change:
    """One of those who would be changed, and what would be different."""

    subscriber_id: int
    username: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """total = would_change + the sum of `left_alone` (why -> how many). duplicates are not in it."""

    title: str
    total: int
    would_change: int
    left_alone: dict[str, int]
    duplicates: int
    sample: tuple[Change, ...]

    def reasons(self) -> list[tuple[str, int]]:
        """Why some are left alone, in words, most first."""
        found = sorted(self.left_alone.items(), key=lambda each: -each[1])
        return [(REASONS[reason], count) for reason, count in found]


def bulk_preview(
    *, kind: BulkKind, params: Mapping[str, Any], selection: Mapping[str, Any]
) -> Preview:
    """Count and show; nothing is written. Three statements, whatever the size.

    Raises ParamsInvalid, SelectionInvalid, SelectionTooLarge, FilterInvalid.
    """
    checked, chosen = params_check(kind, params), selection_for(kind, selection)
    people, values = people_sql(chosen)
    values = {**values, "now": clock.now()}
    skip = skip_sql(kind)
    counted = sql.rows(
        f"SELECT {skip} AS reason, count(*) FROM subscriber s WHERE {people} GROUP BY 1", values
    )
    counts: dict[str, int] = dict(counted)
    would = counts.pop("", 0)
    known = would + sum(counts.values())
    if chosen.where is None and len(chosen.names) > known:
        counts["unknown"] = len(chosen.names) - known
    ids = sql.rows(
        f"SELECT s.id FROM subscriber s WHERE {people} AND {skip} = '' ORDER BY s.id LIMIT {SAMPLE}",
        values,
    )
    rows = Subscriber.objects.filter(pk__in=[each for (each,) in ids]).order_by("pk")
    return Preview(
        title=say_kind(kind, checked),
        total=would + sum(counts.values()),
        would_change=would,
        left_alone=counts,
        duplicates=max(0, chosen.given - len(chosen.names)),
        sample=tuple(_change(kind, checked, row) for row in rows),
    )


def people_sql(chosen: Selection) -> tuple[str, dict[str, Any]]:
    """A condition over `s` for the known ones of a selection, and its parameters."""
    if chosen.where is None:
        return (
            f"s.{chosen.column} = ANY (%(names)s::text[]::{chosen.cast}[])"
            + (" AND s.missing_since IS NULL" if chosen.column == "username" else ""),
            {"names": list(chosen.names)},
        )
    query, given = filter_query(chosen.where).values("id").query.sql_with_params()
    names = iter([f"f{place}" for place in range(len(given))])
    named = _PLACE.sub(lambda _: f"%({next(names)})s", query)
    return f"s.id IN ({named})", {f"f{place}": value for place, value in enumerate(given)}


def _change(kind: BulkKind, params: Mapping[str, Any], row: Subscriber) -> Change:
    before, after = row.get_status_display(), ""
    if kind is BulkKind.DISABLE:
        after = "disabled"
    elif kind is BulkKind.ENABLE:
        after = "active"
    elif kind is BulkKind.EXTEND:
        base = max(row.expire_at, clock.now())
        before = f"until {row.expire_at:%Y-%m-%d %H:%M} UTC"
        after = f"until {base + timedelta(days=params['days']):%Y-%m-%d %H:%M} UTC"
    elif kind is BulkKind.RESET_TRAFFIC:
        before, after = f"{row.used_traffic_bytes:,} bytes used", "0 bytes used"
    else:
        after = "gone for good"
    return Change(row.pk, row.username, before, after)
