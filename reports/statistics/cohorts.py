"""Cohorts by month: of those who joined, how many paid; of those who paid, how many stayed.

Made of rows that never change their moment, so the same rows give the same counts. Each is one statement
over all payments, which is why they are kept in a table and computed at night.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction

from jobs import sql
from lib import clock
from reports.statistics.models import Cohort, CohortKind

MONTHS = 12  # back from the one that runs
STEP = timedelta(days=30)  # between the looks at those who paid
WITHIN = (0, 7, 30, 90)  # days after joining within which a first payment is looked for
_LOCK = "reports.cohorts"

_FIRST = """
CREATE TEMPORARY TABLE cohort_first ON COMMIT DROP AS
SELECT subscriber_id, min(completed_at) AS at FROM payment
WHERE completed_at < %(now)s AND subscriber_id IS NOT NULL GROUP BY subscriber_id
"""
_JOINED = """
SELECT date_trunc('month', joined_at AT TIME ZONE 'UTC')::date AS month, count(*),
    count(*) FILTER (WHERE paid_at < joined_at + interval '1 day'),
    count(*) FILTER (WHERE paid_at < joined_at + interval '7 days'),
    count(*) FILTER (WHERE paid_at < joined_at + interval '30 days'),
    count(*) FILTER (WHERE paid_at < joined_at + interval '90 days')
FROM (
    SELECT coalesce(s.panel_created_at, s.created_at) AS joined_at, f.at AS paid_at
    FROM subscriber s LEFT JOIN cohort_first f ON f.subscriber_id = s.id
    WHERE coalesce(s.panel_created_at, s.created_at) >= %(since)s
) q WHERE joined_at < %(now)s GROUP BY 1
"""
# Whose paid time covers the day 30 * n after the first payment. Periods of one person follow each other.
_PAID = """
SELECT date_trunc('month', at AT TIME ZONE 'UTC')::date, 0, count(*)
FROM cohort_first WHERE at >= %(since)s GROUP BY 1
UNION ALL
SELECT date_trunc('month', c.at AT TIME ZONE 'UTC')::date, c.n, count(*) FROM (
    SELECT DISTINCT f.subscriber_id, f.at, n
    FROM cohort_first f
    JOIN subscription_activation a ON a.subscriber_id = f.subscriber_id
    JOIN payment p ON p.id = a.payment_id
    CROSS JOIN LATERAL generate_series(
        greatest(1, ceil(extract(epoch FROM coalesce(a.base_expire_at, p.completed_at) - f.at)
            / %(step)s)::int),
        least(%(months)s, ceil(extract(epoch FROM a.target_expire_at - f.at) / %(step)s)::int - 1)
    ) n
    WHERE a.target_expire_at IS NOT NULL AND p.state = 'completed' AND f.at >= %(since)s
) c
GROUP BY 1, 2
"""


def cohorts_compute() -> int:
    """Compute all cohorts anew. Returns how many there are. Repeat: the same ones.

    Three statements over all payments. Locks: two at once wait for each other.
    """
    now = clock.now()
    months = list(_months(now.astimezone(UTC).date()))
    since = _begin(months[0])
    given = {"since": since, "now": now, "step": STEP.total_seconds(), "months": MONTHS}
    with transaction.atomic():
        sql.row("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])
        # Each person is a row of a hash; in the usual 4 MB a million of them go to disk and back.
        sql.run("SET LOCAL work_mem = '128MB'")
        sql.run(_FIRST, given)
        sql.run("ANALYZE cohort_first")
        made = [*_joined(given, now), *_paid(given, now)]
        sql.run("DROP TABLE cohort_first")  # now: the transaction may go on, and compute once more
        Cohort.objects.all().delete()
        Cohort.objects.bulk_create(made)
    return len(made)


def _joined(given: dict[str, object], now: datetime) -> Iterator[Cohort]:
    for month, people, *counts in sql.rows(_JOINED, given):
        over = _begin(_after(month))
        yield Cohort(
            kind=CohortKind.JOINED,
            month=month,
            people=people,
            counts=[
                count if over + timedelta(days=days or 1) <= now else None
                for days, count in zip(WITHIN, counts, strict=True)
            ],
            computed_at=now,
        )


def _paid(given: dict[str, object], now: datetime) -> Iterator[Cohort]:
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for month, number, people in sql.rows(_PAID, given):
        found[month][number] = people
    for month, people_by in sorted(found.items()):
        over = _begin(_after(month))
        yield Cohort(
            kind=CohortKind.PAID,
            month=month,
            people=people_by[0],
            counts=[
                people_by.get(number, 0) if over + STEP * number <= now else None
                for number in range(MONTHS + 1)
            ],
            computed_at=now,
        )


def _months(today: date) -> Iterator[date]:
    """The first days of the last MONTHS months and of the one that runs, oldest first."""
    for back in range(MONTHS, -1, -1):
        number = today.year * 12 + today.month - 1 - back
        yield date(number // 12, number % 12 + 1, 1)


def _after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
