"""The partitions that tables have, as their names tell: one question for any number of tables."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from lib import catalog, clock

_NAMES = """
SELECT t.relname::text, array_remove(array_agg(c.relname::text), NULL)
FROM pg_class t LEFT JOIN pg_inherits i ON i.inhparent = t.oid LEFT JOIN pg_class c ON c.oid = i.inhrelid
WHERE t.relname = ANY (%s) AND t.relkind = 'p' AND t.relnamespace = current_schema()::regnamespace
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """The days of a table, the oldest first; before: the end of what it held before it got days."""

    days: list[date]
    before: date | None

    def missing(self, ahead: int) -> list[date]:
        """Those of today and the next days that nobody has made yet."""
        today, there = clock.now().date(), set(self.days)
        wanted = [today + timedelta(days=each) for each in range(ahead + 1)]
        return [day for day in wanted if day not in there and day >= (self.before or day)]


def parts_of(tables: Collection[str]) -> dict[str, Parts]:
    """By table; one that is not partitioned, or not there, is left out. One query."""
    return {
        table: Parts(
            sorted(_dated(table, "", names)), max(_dated(table, "before_", names), default=None)
        )
        for table, names in catalog.rows(_NAMES, [list(tables)])
    }


def day_name(table: str, day: date) -> str:
    """The partition of a day."""
    return f"{table}_{day:%Y%m%d}"


def before_name(table: str, end: date) -> str:
    """The partition of all that is older than a day, from before the table got days."""
    return f"{table}_before_{end:%Y%m%d}"


def rest_name(table: str) -> str:
    """The partition of what stands outside of all days."""
    return f"{table}_other"


def _dated(table: str, infix: str, names: Collection[str]) -> list[date]:
    form = re.compile(rf"{re.escape(table)}_{infix}(\d{{4}})(\d\d)(\d\d)")
    found = map(form.fullmatch, names)
    return [date(int(day[1]), int(day[2]), int(day[3])) for day in found if day]
