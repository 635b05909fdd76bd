"""What Prometheus reads of the alerts, out of the database: the same whichever process is asked."""

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from jobs import sql
from lib import clock

LATELY = timedelta(hours=1)


def collect() -> Iterator[Metric]:
    """What is open, what waits to be told, and how long telling takes. Three queries on indexes."""
    now = clock.now()
    open_now = GaugeMetricFamily(
        "alerts_open", "Open alerts by severity and rule", labels=["severity", "rule"]
    )
    for severity, rule, count in sql.rows(
        """SELECT severity, rule, count(*) FROM alert WHERE resolved_at IS NULL
        GROUP BY severity, rule ORDER BY severity, rule"""
    ):
        open_now.add_metric([severity, rule], count)
    yield open_now
    waiting = sql.row("SELECT count(*) FROM alert WHERE tell_at IS NOT NULL")
    yield GaugeMetricFamily(
        "alerts_untold",
        "Alerts of which something is to be told, also those that are hidden or silenced",
        value=waiting[0] if waiting else 0,
    )
    yield _tell_seconds(now - LATELY)


def _tell_seconds(since: object) -> Metric:
    took = GaugeMetricFamily(
        "alert_tell_seconds",
        "From the beginning of an alert until people were told, of the last hour",
        labels=["quantile"],
    )
    found = sql.row(
        """SELECT percentile_cont(ARRAY[0.5, 0.9, 1.0]) WITHIN GROUP (ORDER BY
            extract(epoch FROM a.told_at - a.opened_at))
        FROM alert_telling t CROSS JOIN LATERAL unnest(t.alert_ids) AS i (id)
        JOIN alert a ON a.id = i.id AND a.told_at >= t.at - interval '1 second'
            AND a.told_at <= t.at + interval '1 minute'
        WHERE t.at > %s""",
        [since],
    )
    for quantile, value in zip(("0.5", "0.9", "1"), (found and found[0]) or (), strict=False):
        took.add_metric([quantile], max(0.0, float(value)))
    return took
