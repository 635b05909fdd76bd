"""What Prometheus reads of statistics and reports, out of the database: the same whoever is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from jobs import sql
from lib import clock
from reports.statistics.days.computing import days_due
from reports.statistics.models import ReportKind

# The row of the last day that is computed: what the business was, for dashboards.
_LAST = """
SELECT day, users_active, users_disabled, users_expired, users_limited, users_new, users_lost, paying,
    extract(epoch FROM %(now)s - (day + 1)::timestamp AT TIME ZONE 'UTC'),
    extract(epoch FROM %(now)s - computed_at)
FROM daily_stat ORDER BY day DESC LIMIT 1
"""
_REPORTS = """
SELECT k.kind, extract(epoch FROM %(now)s - r.told_at)
FROM unnest(%(kinds)s::text[]) k (kind) CROSS JOIN LATERAL (
    SELECT told_at FROM report WHERE report.kind = k.kind AND told_at IS NOT NULL
    ORDER BY period DESC LIMIT 1
) r
"""
_STATUSES = ("active", "disabled", "expired", "limited")


def collect() -> Iterator[Metric]:
    """All numbers. Five queries on indexes and on one row."""
    now = clock.now()
    yield from _of_last_day(sql.rows(_LAST, {"now": now}))
    yield GaugeMetricFamily(
        "statistics_days_due",
        "Days that are over and whose statistics are missing or not final",
        value=len(days_due(now)),
    )
    ages = GaugeMetricFamily(
        "report_age_seconds", "Since the last report of a kind was told", labels=["kind"]
    )
    for kind, age in sql.rows(_REPORTS, {"now": now, "kinds": ReportKind.values}):
        ages.add_metric([kind], float(age))
    yield ages


def _of_last_day(rows: list[tuple[object, ...]]) -> Iterator[Metric]:
    if not rows:
        return
    _, *statuses, new, lost, paying, over, computed = rows[0]
    users = GaugeMetricFamily(
        "statistics_users", "Users at the end of the last day by status", labels=["status"]
    )
    for name, value in zip(_STATUSES, statuses, strict=True):
        if value is not None:
            users.add_metric([name], _number(value))
    yield users
    for name, help_, value in (
        ("statistics_users_new", "Who joined on the last day", new),
        ("statistics_users_lost", "Whose time ended on the last day without a renewal", lost),
        ("statistics_users_paying", "Whose paid time covers the end of the last day", paying),
        ("statistics_day_age_seconds", "Since the end of the last day that is computed", over),
        ("statistics_computed_age_seconds", "Since the last day was computed", computed),
    ):
        if value is not None:
            yield GaugeMetricFamily(name, help_, value=_number(value))


def _number(value: object) -> float:
    return float(str(value))
