"""What a report says, as JSON that stays as it was made: later figures do not change what people read.

    {"first", "last": ISO days, "days", "wanted": numbers, "is_final",
     "currencies": the one with most payments first,
     "now": figures, "before": figures or null, "before_first", "before_last",
     "changes": {figure: percent or null}, "money_changes": {currency: percent or null},
     "by_day": [{"day", "active", "new", "lost", "traffic", "uptime", "payments", "revenue": {}}],
     "advice": [{"code", "facts"}]}

Decimals are texts. A daily report stands against the same day of the week before, because weekends earn
otherwise; a weekly one against the week before.
"""

from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reports.statistics.errors import PeriodInvalid, ReportNotPossible
from reports.statistics.models import DailyStat, ReportKind
from reports.statistics.reporting.advice import advice_of
from reports.statistics.reporting.figures import Figures, figures_of, rows_between
from reports.statistics.reporting.trends import changes_of, money_changes

WEEK = timedelta(days=7)
Json = dict[str, Any]


def period_of(kind: str, day: date) -> tuple[date, date]:
    """The first and the last day of a period that begins with a day. Raises PeriodInvalid."""
    if kind == ReportKind.DAILY:
        return day, day
    if day.weekday():
        raise PeriodInvalid(f"a week begins on a Monday, and {day} is none")
    return day, day + WEEK - timedelta(days=1)


def payload_make(kind: str, period: date) -> Json:
    """What there is to say of a period. Two queries. Raises PeriodInvalid, ReportNotPossible."""
    first, last = period_of(kind, period)
    rows = rows_between(first, last)
    if not rows:
        raise ReportNotPossible(f"no day from {first} to {last} is computed")
    earlier = rows_between(first - WEEK, last - WEEK)
    now = figures_of(first, last, rows)
    before = figures_of(first - WEEK, last - WEEK, earlier)
    return {
        "first": str(first),
        "last": str(last),
        "days": now.days,
        "wanted": now.wanted,
        "is_final": now.is_final,
        # The database keeps the order of lists only.
        "currencies": list(dict.fromkeys([*now.revenue, *now.refunds, *now.run_rate])),
        "now": _json(now),
        "before": _json(before) if earlier else None,
        "before_first": str(before.first),
        "before_last": str(before.last),
        "changes": _texts(changes_of(now, before)),
        "money_changes": _texts(money_changes(now, before)),
        "by_day": [_of_day(row) for row in rows],
        "advice": [asdict(advice) for advice in advice_of(now, before)],
    }


def _of_day(row: DailyStat) -> Json:
    return {
        "day": str(row.day),
        "active": row.users_active,
        "new": row.users_new,
        "lost": row.users_lost,
        "traffic": row.traffic_bytes,
        "uptime": row.uptime,
        "payments": row.payments_count,
        "revenue": row.revenue,
    }


def _json(figures: Figures) -> Json:
    plain = asdict(figures)
    plain.pop("first")
    plain.pop("last")
    return {name: _plain(value) for name, value in plain.items()}


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list():
            return [_plain(each) for each in value]
    return value


def _texts(changes: dict[str, Decimal | None]) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in changes.items()}
