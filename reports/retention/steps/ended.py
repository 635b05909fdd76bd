"""A small table with an index on when its rows end: those that have ended go, the oldest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from jobs import sql
from reports.retention.steps.base import BATCH, Gone, Note, bytes_per_row

COUNTED = 100_000  # rows that a dry run counts; then it says "at least"


@dataclass(frozen=True, slots=True)
class Ended:
    """Rows of `table` (aliased t) for which `goes` is true; goes has %(before)s, by `keep` ago."""

    table: str
    goes: str
    keep: timedelta = timedelta(0)

    def remove(self, now: datetime, note: Note) -> Iterator[None]:
        size = bytes_per_row(self.table)
        while True:
            with transaction.atomic():
                count = sql.run(
                    f"""DELETE FROM {self.table} WHERE ctid = ANY (ARRAY(
                        SELECT t.ctid FROM {self.table} t WHERE {self.goes}
                        LIMIT %(batch)s FOR UPDATE SKIP LOCKED))""",
                    {"before": now - self.keep, "batch": BATCH},
                )
                if count:
                    note(Gone(count, round(count * size)))
            yield
            if count < BATCH:
                return

    def count(self, now: datetime) -> Gone:
        found = sql.row(
            f"""SELECT count(*) FROM (SELECT FROM {self.table} t WHERE {self.goes}
            LIMIT %(most)s) q""",
            {"before": now - self.keep, "most": COUNTED},
        )
        rows = int(found[0]) if found else 0
        size = bytes_per_row(self.table)
        return Gone(rows, round(rows * size), is_estimate=rows == COUNTED)
