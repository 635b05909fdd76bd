"""A table that is partitioned by day: whole days go, each in a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from lib import partitions
from reports.retention.steps.base import Gone, Note


@dataclass(frozen=True, slots=True)
class Days:
    """The days of `table` that ended longer ago than `keep`. Raises lib.patience.TableBusy."""

    table: str
    keep: timedelta

    def remove(self, now: datetime, note: Note) -> Iterator[None]:
        before = self._before(now)
        for each in partitions.days_old(self.table, before):
            partitions.day_drop(self.table, each.name, noted=partial(note, _gone(each)))
            yield
        rows = partitions.BATCH
        while rows == partitions.BATCH:
            rows = partitions.rest_delete(self.table, before, noted=lambda count: note(Gone(count)))
            yield

    def count(self, now: datetime) -> Gone:
        before = self._before(now)
        found = partitions.days_old(self.table, before)
        rest = partitions.rest_count(self.table, before)
        return Gone(
            rows=sum(each.rows for each in found) + rest,
            bytes=sum(each.bytes for each in found),
            partitions=tuple(each.name for each in found),
            is_estimate=bool(found) or rest == partitions.BATCH,
        )

    def _before(self, now: datetime) -> date:
        return (now - self.keep).date()


def _gone(day: partitions.Day) -> Gone:
    return Gone(day.rows, day.bytes, (day.name,), is_estimate=True)
