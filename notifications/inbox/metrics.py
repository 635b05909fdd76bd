"""What Prometheus reads of the inbox, out of the database: the same whichever process is asked.

The three names are those of the source; `websocket_connections` and `delivery_latency_ms` are counted
by each web process where its sockets are.
"""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from jobs import sql
from notifications.inbox.stats import totals

# Metric (without the _total that every counter gets) -> event of inbox_stat, what it counts.
COUNTERS = {
    "notifications_sent": ("sent", "Notifications that were accepted"),
    "notifications_acked": ("acked", "Notifications that were read"),
    "notifications_auto_cleared": ("auto_cleared", "Notifications that expired unread"),
    "notifications_recalled": ("recalled", "Notifications that were taken back"),
    "notifications_replaced": ("replaced", "Notifications whose place a newer one took"),
    "notifications_updated": ("updated", "Changes of the text of a notification"),
    "notifications_muted": ("muted", "Notifications of sources that the person has muted"),
    "notifications_deferred": ("deferred", "Notifications that waited for quiet hours to end"),
    "notifications_fallback": ("fallback", "Unread notifications that went to Telegram"),
}
# The first row is the oldest but for what overlapped; to look for the very oldest would read them all.
_LAG = """
SELECT greatest(0, extract(epoch FROM clock_timestamp() - created_at))::float8
FROM inbox_outbox ORDER BY id LIMIT 1
"""


def collect() -> Iterator[Metric]:
    """All counters, and how far the relay is behind. Two queries."""
    counts = totals()
    for name, (event, what) in COUNTERS.items():
        yield CounterMetricFamily(name, what, value=counts.get(event, 0))
    oldest = sql.row(_LAG)
    yield GaugeMetricFamily(
        "relay_lag_seconds",
        "Age of the oldest change that is committed and not published yet; 0: none waits",
        value=float(oldest[0]) if oldest else 0.0,
    )
