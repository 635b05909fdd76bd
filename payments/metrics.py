"""What Prometheus reads of the payments, out of the database: the same whichever process is asked.

Totals are the sums of the days that are over and what came since, so they never shrink and cost the
same with ten payments and with ten million.
"""

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from jobs import sql
from lib import clock

LATELY = timedelta(hours=1)
MOST = 10_000  # open rows are counted no further

_TOTALS = """
WITH computed AS (
    SELECT coalesce(sum(completed), 0) AS completed, coalesce(sum(failed), 0) AS failed,
        coalesce(sum(refunded), 0) AS refunded,
        coalesce((max(day) + 1)::timestamp AT TIME ZONE 'UTC', '-infinity') AS until
    FROM financial_day
)
SELECT c.completed + (SELECT count(*) FROM payment WHERE completed_at >= c.until),
    c.failed + (SELECT count(*) FROM payment WHERE failed_at >= c.until),
    c.refunded + (SELECT count(*) FROM payment WHERE refunded_at >= c.until)
FROM computed c
"""
_OPEN = """
SELECT count(*) FILTER (WHERE state = 'created'), count(*) FILTER (WHERE state = 'pending')
FROM (SELECT state FROM payment WHERE state IN ('created', 'pending') LIMIT %(most)s) q
"""
_SETTLED = """
SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY took), 0),
    coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY took), 0), coalesce(max(took), 0),
    count(*) FILTER (WHERE found_by = 'webhook'), count(*) FILTER (WHERE found_by = 'poll'),
    count(*) FILTER (WHERE found_by = 'operator')
FROM (
    SELECT greatest(extract(epoch FROM completed_at - paid_at), 0) AS took, found_by FROM payment
    WHERE completed_at >= %(since)s
) q
"""
_WEBHOOKS = """
SELECT source, state, count(*),
    coalesce(max(extract(epoch FROM processed_at - received_at)), 0)
FROM incoming_webhook WHERE received_at >= %(since)s GROUP BY source, state
"""
_WAITING = """
SELECT count(*), coalesce(extract(epoch FROM %(now)s - min(received_at)), 0)
FROM (
    SELECT received_at FROM incoming_webhook WHERE state = 'received'
    ORDER BY received_at LIMIT %(most)s
) q
"""


def collect() -> Iterator[Metric]:
    """Payments by state, how fast they were settled and by whom found; webhooks and questions."""
    now = clock.now()
    totals = CounterMetricFamily("payments", "Payments that ended so", labels=["state"])
    found = sql.rows(_TOTALS)[0]
    for state, value in zip(("completed", "failed", "refunded"), found, strict=True):
        totals.add_metric([state], int(value))
    yield totals
    waiting = GaugeMetricFamily(
        "payments_open", f"Payments that are open, up to {MOST}", labels=["state"]
    )
    counts = sql.rows(_OPEN, {"most": MOST})[0]
    for state, value in zip(("created", "pending"), counts, strict=True):
        waiting.add_metric([state], int(value))
    yield waiting
    yield from _settled(sql.rows(_SETTLED, {"since": now - LATELY})[0])
    yield from _webhooks()
    yield GaugeMetricFamily(
        "payment_reviews_open",
        "Questions about money that wait for a person",
        value=int(
            sql.rows(
                "SELECT count(*) FROM (SELECT FROM payment_review WHERE resolved_at IS NULL LIMIT %s) q",
                [MOST],
            )[0][0]
        ),
    )


def _settled(row: tuple[float, ...]) -> Iterator[Metric]:
    took = GaugeMetricFamily(
        "payments_settle_seconds",
        "From paid, as the provider says, to completed here, of the last hour",
        labels=["quantile"],
    )
    for quantile, value in zip(("0.5", "0.95", "1"), row[:3], strict=True):
        took.add_metric([quantile], float(value))
    yield took
    by = GaugeMetricFamily(
        "payments_found", "Completed payments of the last hour by who noticed", labels=["by"]
    )
    for name, value in zip(("webhook", "poll", "operator"), row[3:], strict=True):
        by.add_metric([name], int(value))
    yield by
    noticed = row[3] + row[4]
    yield GaugeMetricFamily(
        "payments_poll_before_webhook_ratio",
        "Part of the payments of the last hour that the poll found before a webhook",
        value=float(row[4]) / float(noticed) if noticed else 0.0,
    )


def _webhooks() -> Iterator[Metric]:
    now = clock.now()
    counted = GaugeMetricFamily(
        "incoming_webhooks", "Webhooks of the last hour", labels=["source", "state"]
    )
    lag: dict[str, float] = {}
    for source, state, count, slowest in sql.rows(_WEBHOOKS, {"since": now - LATELY}):
        counted.add_metric([source, state], int(count))
        lag[source] = max(lag.get(source, 0.0), float(slowest))
    yield counted
    slow = GaugeMetricFamily(
        "incoming_webhook_lag_seconds",
        "The longest that a webhook of the last hour waited from its receipt to its end",
        labels=["source"],
    )
    for source in sorted(lag):
        slow.add_metric([source], lag[source])
    yield slow
    count, oldest = sql.rows(_WAITING, {"now": now, "most": MOST})[0]
    yield GaugeMetricFamily(
        "incoming_webhooks_waiting", f"Webhooks that wait, up to {MOST}", value=int(count)
    )
    yield GaugeMetricFamily(
        "incoming_webhook_oldest_seconds",
        "For how long the oldest of them waits",
        value=max(float(oldest), 0.0),
    )
