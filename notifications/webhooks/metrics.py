"""What Prometheus reads of the webhooks, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from jobs import sql
from lib import clock

MOST = 1000  # waiting deliveries are counted no further per endpoint


def collect() -> Iterator[Metric]:
    """Attempts by outcome, and how endpoints and their queues are. Three queries."""
    attempts = CounterMetricFamily(
        "webhook_attempts",
        "Requests to webhook endpoints, by what came of them",
        labels=["outcome"],
    )
    delivered, failed, throttled, spent_ms = sql.rows(
        """SELECT coalesce(sum(delivered), 0), coalesce(sum(failed), 0),
        coalesce(sum(throttled), 0), coalesce(sum(duration_ms), 0) FROM webhook_tally"""
    )[0]
    for outcome, value in (("delivered", delivered), ("failed", failed), ("throttled", throttled)):
        attempts.add_metric([outcome], int(value))
    yield attempts
    yield CounterMetricFamily(
        "webhook_attempts_seconds", "Time that these requests took", value=float(spent_ms) / 1000
    )
    yield _endpoints()
    yield from _waiting()


def _endpoints() -> Metric:
    endpoints = GaugeMetricFamily(
        "webhook_endpoints", "Webhook endpoints by how they are", labels=["condition"]
    )
    found = sql.rows(
        """SELECT count(*) FILTER (WHERE e.state = 'enabled'),
            count(*) FILTER (WHERE e.state = 'disabled'),
            count(*) FILTER (WHERE e.state = 'enabled' AND l.failing_since IS NOT NULL),
            count(*) FILTER (WHERE e.state = 'enabled' AND l.open_until > %s)
        FROM webhook_endpoint e JOIN webhook_lane l ON l.endpoint_id = e.id""",
        [clock.now()],
    )[0]
    for condition, value in zip(("enabled", "disabled", "failing", "broken"), found, strict=True):
        endpoints.add_metric([condition], int(value))
    return endpoints


def _waiting() -> Iterator[Metric]:
    pending, oldest = sql.rows(
        """SELECT coalesce(sum(w.pending), 0), coalesce(max(w.late), 0)
        FROM webhook_endpoint e CROSS JOIN LATERAL (
            SELECT count(*) AS pending,
                extract(epoch FROM %(now)s - min(next_attempt_at)) AS late FROM (
                SELECT next_attempt_at FROM webhook_delivery d
                WHERE d.endpoint_id = e.id AND d.state = 'pending'
                ORDER BY next_attempt_at, id LIMIT %(most)s
            ) q
        ) w WHERE e.state = 'enabled'""",
        {"now": clock.now(), "most": MOST},
    )[0]
    yield GaugeMetricFamily(
        "webhook_deliveries_pending",
        f"Deliveries that wait, up to {MOST} of each enabled endpoint",
        value=int(pending),
    )
    yield GaugeMetricFamily(
        "webhook_delivery_late_seconds",
        "For how long the oldest delivery is due, of all enabled endpoints",
        value=max(float(oldest), 0.0),
    )
