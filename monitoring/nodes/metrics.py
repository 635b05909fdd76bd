"""What Prometheus reads of the servers, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from lib import clock
from monitoring.nodes.models import Health, Node
from monitoring.nodes.selectors import rates_now

_LABELS = ("node", "name", "country")


def collect() -> Iterator[Metric]:
    """All numbers. Two queries, one line for each server that the panel lists."""
    rows = list(Node.objects.filter(removed_at=None).order_by("view_position", "name"))
    rates, now = rates_now(), clock.now()
    health = GaugeMetricFamily(
        "node_health",
        "1 for the state that a server is in, 0 for the others",
        labels=(*_LABELS, "status"),
    )
    gauges = {
        "users": GaugeMetricFamily("node_users_online", "People on a server", labels=_LABELS),
        "rate": GaugeMetricFamily(
            "node_traffic_bytes_per_second", "Traffic of people, last sample", labels=_LABELS
        ),
        "since": GaugeMetricFamily(
            "node_state_seconds", "Since a server is in its state", labels=_LABELS
        ),
    }
    used = CounterMetricFamily(
        "node_traffic_bytes", "Traffic in the period of the panel", labels=_LABELS
    )
    for row in rows:
        labels = [str(row.pk), row.name, row.country_code]
        for each in Health:
            health.add_metric([*labels, each.value], int(row.health == each))
        gauges["users"].add_metric(labels, row.users_online)
        gauges["since"].add_metric(labels, max(0.0, (now - row.health_since).total_seconds()))
        if row.pk in rates:
            gauges["rate"].add_metric(labels, rates[row.pk])
        used.add_metric(labels, row.traffic_used_bytes)
    yield health
    yield from gauges.values()
    yield used
    if rows:
        yield GaugeMetricFamily(
            "nodes_look_age_seconds",
            "Since the panel last told of its servers",
            value=max(0.0, (now - max(row.checked_at for row in rows)).total_seconds()),
        )
