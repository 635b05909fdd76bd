"""The number of the payments on the first page of the console."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from django.urls import reverse

from jobs import sql
from lib import clock
from lib.now import Figure, Severity, figure
from payments.words import amount_say

WEEK = timedelta(days=7)
LEAST = 10  # payments by this time last week; of fewer a difference says nothing
HALF = Decimal("0.5")

# Two ranges of the index of completed payments: today, and the whole day a week ago.
_HOURS = """
SELECT is_today, currency, floor(extract(epoch FROM completed_at - since) / 3600)::int, count(*),
    sum(amount), count(*) FILTER (WHERE completed_at <= until),
    coalesce(sum(amount) FILTER (WHERE completed_at <= until), 0)
FROM (
    SELECT true AS is_today, completed_at, currency, amount, %(today)s AS since, %(now)s AS until
    FROM payment WHERE completed_at >= %(today)s AND completed_at <= %(now)s
    UNION ALL
    SELECT false, completed_at, currency, amount, %(then)s, %(then_now)s
    FROM payment WHERE completed_at >= %(then)s AND completed_at < %(then_end)s
) p GROUP BY 1, 2, 3
"""


@figure(order=70, permission="payments.view_payment")
def money_today() -> Figure:
    """What came in today (UTC), against the same weekday up to the same minute. One query."""
    now = clock.now().astimezone(UTC)
    today = datetime.combine(now.date(), time(), UTC)
    then = today - WEEK
    found = sql.rows(
        _HOURS,
        {
            "today": today,
            "now": now,
            "then": then,
            "then_now": now - WEEK,
            "then_end": then + timedelta(days=1),
        },
    )
    currency = _main_currency(found)
    ours = [row for row in found if row[1] == currency]
    amount, before = _sum(ours, is_today=True), _sum(ours, is_today=False)
    count = sum(row[5] for row in ours if not row[0])
    is_low = count >= LEAST and amount < before * HALF
    others = _others(found, currency)
    return Figure(
        "Money today",
        f"{_rounded(amount)} {currency}".rstrip(),
        Severity.WARNING if is_low else None,
        f"{reverse('admin:payments_financialday_changelist')}?currency={currency}",
        _compared(amount, before, now) + (f"; also {others}" if others else ""),
        "payment_failures" if is_low else "",
        spark=_line(ours, now.hour + 1, is_today=True),
        before=_line(ours, 24, is_today=False),
    )


def _main_currency(found: list[tuple[Any, ...]]) -> str:
    counts: dict[str, int] = {}
    for row in found:
        counts[row[1]] = counts.get(row[1], 0) + row[3]
    return min(counts, key=lambda name: (-counts[name], name), default="")


def _sum(rows: list[tuple[Any, ...]], *, is_today: bool) -> Decimal:
    return sum((row[6] for row in rows if row[0] is is_today), Decimal(0))


def _others(found: list[tuple[Any, ...]], main: str) -> str:
    sums: dict[str, Decimal] = {}
    for is_today, currency, *_, amount in found:
        if is_today and currency != main:
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return ", ".join(f"{amount_say(sums[name])} {name}" for name in sorted(sums))


def _compared(amount: Decimal, before: Decimal, now: datetime) -> str:
    then = f"{now - WEEK:%a %d %b} by {now:%H:%M} UTC"
    if not before:
        return f"nothing on {then}" if amount else f"as on {then}"
    change = round(100 * (amount - before) / before)
    return f"{change:+d} % against {then} ({_rounded(before)})"


def _rounded(amount: Decimal) -> str:
    """Two places are enough to look at: "1,204.5"; what is less than that is shown whole."""
    if amount and abs(amount) < Decimal("0.01"):
        return amount_say(amount)
    return amount_say(Decimal(f"{amount:.2f}")) if amount < 1000 else f"{amount:,.0f}"


def _line(rows: list[tuple[Any, ...]], hours: int, *, is_today: bool) -> list[float]:
    """The sum at midnight, then by the end of each hour: a line in the first hour too."""
    by_hour = [0.0] * hours
    for row in rows:
        if row[0] is is_today and 0 <= row[2] < hours:
            by_hour[row[2]] += float(row[4])
    return [0.0, *accumulate(by_hour)]
