"""What Prometheus reads of the live dashboard: how old its picture is, and what that cost."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from lib import clock
from monitoring.dashboard.models import Snapshot


def collect() -> Iterator[Metric]:
    """Nothing until the first picture. One query."""
    row = Snapshot.objects.filter(pk=1).values_list("taken_at", "took_ms").first()
    if row is None:
        return
    taken_at, took_ms = row
    yield GaugeMetricFamily(
        "dashboard_snapshot_age_seconds",
        "Since the last picture of the live dashboard",
        value=max(0.0, (clock.now() - taken_at).total_seconds()),
    )
    yield GaugeMetricFamily(
        "dashboard_snapshot_seconds", "How long taking it took", value=took_ms / 1000
    )
