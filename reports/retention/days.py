"""The days of partitioned tables: made ahead, and looked after."""

from dataclasses import dataclass
from datetime import date

from lib import partitions
from lib.partition_names import Parts, parts_of
from lib.partitions import DayTable
from lib.patience import TableBusy
from monitoring.alerts.services import alert_raise, alerts_clear_others
from monitoring.alerts.wording.catalogue import says
from monitoring.alerts.wording.saying import Says

RULE = "partitions"
LINK = "/admin/retention/retentionrun/"


@dataclass(frozen=True, slots=True)
class DaysNow:
    """How a table stands. rest: rows outside of all days, counted up to partitions.BATCH.

    is_in_days: false until the migration that puts it into days has run.
    """

    table: str
    kept: list[date]
    missing: list[date]
    rest: int
    keep_days: int | None  # None: its room drops them
    is_in_days: bool = True

    @property
    def alert(self) -> Says | None:
        """What is wrong, as its alert says it; None: nothing."""
        if not self.is_in_days:
            return says("partitions.not_in_days", table=self.table)
        if self.missing:
            return says("partitions.missing", table=self.table, days=len(self.missing))
        if self.rest >= partitions.BATCH:
            return says("partitions.rest_many", table=self.table, rows=self.rest)
        if self.rest:
            return says("partitions.rest", table=self.table, rows=self.rest)
        return None

    @property
    def trouble(self) -> str:
        """The same for its page, without the table; empty: nothing."""
        found = self.alert
        return "" if found is None else found.words().title.removeprefix(f"{self.table}: ")


def days_now() -> list[DaysNow]:
    """All partitioned tables. Two queries."""
    entered = partitions.partitioned_tables()
    parts = parts_of([each.table for each in entered])
    rests = partitions.rests_count(parts)
    return [_now(each, parts.get(each.table), rests.get(each.table, 0)) for each in entered]


def _now(table: DayTable, parts: Parts | None, rest: int) -> DaysNow:
    keep = None if table.kept is None else table.kept.days
    if parts is None:
        return DaysNow(table.table, [], [], 0, keep, is_in_days=False)
    return DaysNow(table.table, parts.days, parts.missing(table.ahead), rest, keep)


def days_prepare_all() -> dict[str, list[str]]:
    """Make the days ahead of all tables; what cannot be made is told, and tried again in an hour.

    Returns the days that were made, by table. Repeat-safe.
    """
    made: dict[str, list[str]] = {}
    for each in partitions.partitioned_tables():
        if not partitions.is_in_days(each.table):
            continue  # days_tell tells
        try:
            days = partitions.days_prepare(each.table, each.column, ahead=each.ahead)
        except TableBusy:
            continue  # likewise
        if days:
            made[each.table] = [str(day) for day in days]
    return made


def days_tell() -> int:
    """Raise an alert for each table in trouble and clear the others. Returns how many are in trouble."""
    troubles = {each.table: said for each in days_now() if (said := each.alert) is not None}
    for table, trouble in troubles.items():
        alert_raise(
            rule=RULE,
            key=table,
            severity="warning",
            says=trouble,
            link=LINK,
            source="reports.prepare_partitions",
        )
    alerts_clear_others(rule=RULE, keys=troubles.keys())
    return len(troubles)
