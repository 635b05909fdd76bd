"""What each day earned, by plan, provider and currency: exact sums, made by the database, UTC days.

A payment belongs to the day on which it was completed here, a refund and a failure to theirs. These
moments never move, so computing a day again gives the same lines. Fee, net and usd of a line are null
if the provider did not name them for one of its payments: part of a sum would pass for the whole.
"""

from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Max, Min

from jobs import sql
from lib import clock
from payments.models import FinancialDay, Payment

AGAIN = 2  # days before the last computed one that are computed again
MOST = 400  # days of one run; the next run goes on

_DAY = """
WITH lines AS (
    SELECT provider, plan_code, currency, paid_asset, 1 AS completed, 0 AS refunded, 0 AS failed,
        amount AS revenue, 0::numeric AS refunds,
        CASE WHEN fee_asset IN ('', paid_asset) THEN fee_amount END AS fee,
        CASE WHEN fee_asset IN ('', paid_asset) THEN paid_amount - coalesce(fee_amount, 0) END AS net,
        paid_amount * paid_usd_rate AS usd
    FROM payment WHERE completed_at >= %(begin)s AND completed_at < %(end)s
    UNION ALL
    SELECT provider, plan_code, currency, paid_asset, 0, 1, 0, 0, amount, NULL, NULL, NULL
    FROM payment WHERE refunded_at >= %(begin)s AND refunded_at < %(end)s
    UNION ALL
    SELECT provider, plan_code, currency, '', 0, 0, 1, 0, 0, NULL, NULL, NULL
    FROM payment WHERE failed_at >= %(begin)s AND failed_at < %(end)s
)
INSERT INTO financial_day (day, provider, plan_code, currency, paid_asset, completed, refunded, failed,
    revenue, refunds, average, fee, net, usd, computed_at)
SELECT %(day)s, provider, plan_code, currency, paid_asset, sum(completed), sum(refunded), sum(failed),
    sum(revenue), sum(refunds), coalesce(round(sum(revenue) / nullif(sum(completed), 0), 12), 0),
    CASE WHEN bool_and(fee IS NOT NULL) FILTER (WHERE completed = 1) THEN sum(fee) END,
    CASE WHEN bool_and(net IS NOT NULL) FILTER (WHERE completed = 1) THEN sum(net) END,
    CASE WHEN bool_and(usd IS NOT NULL) FILTER (WHERE completed = 1) THEN round(sum(usd), 12) END,
    %(now)s
FROM lines GROUP BY provider, plan_code, currency, paid_asset
"""


def days_due(now: datetime) -> list[date]:
    """The days that are over and not computed, oldest first, and the last computed ones once more."""
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    last = FinancialDay.objects.aggregate(last=Max("day"))["last"]
    if last is not None and (yesterday - last).days < MOST:
        first: date | None = last - timedelta(days=AGAIN - 1)
    else:  # a day on which nothing happened has no line, so a long pause is stepped over
        first = _first_after(last)
    if first is None:
        return []
    count = min((yesterday - first).days + 1, MOST)
    return [first + timedelta(days=number) for number in range(count)]


def _first_after(last: date | None) -> date | None:
    """The first day behind another one on which something happened to a payment."""
    after = datetime.min.replace(tzinfo=UTC)
    if last is not None:
        after = datetime.combine(last + timedelta(days=1), time(), UTC)
    moments = [
        Payment.objects.filter(**{f"{name}__gte": after}).aggregate(first=Min(name))["first"]
        for name in ("completed_at", "refunded_at", "failed_at")
    ]
    found = [moment for moment in moments if moment is not None]
    return min(found).astimezone(UTC).date() if found else None


@transaction.atomic
def day_compute(day: date) -> int:
    """Replace the lines of one day. Returns how many there are. Repeat: the same lines.

    Locks: two that compute the same day at once wait for each other.
    """
    sql.row(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
        [f"payments.financial_day:{day}"],
    )
    FinancialDay.objects.filter(day=day).delete()
    begin = datetime.combine(day, time(), UTC)
    return sql.run(
        _DAY,
        {"day": day, "begin": begin, "end": begin + timedelta(days=1), "now": clock.now()},
    )


def days_compute() -> dict[str, int]:
    """Compute every day that is due: also those that were missed while nothing ran."""
    days = days_due(clock.now())
    return {"days": len(days), "lines": sum(day_compute(day) for day in days)}
