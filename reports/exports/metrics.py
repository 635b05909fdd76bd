"""What Prometheus reads of the exports. The table is small: rows are kept for 90 days."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from jobs import sql
from lib import clock

_STATES = ("waiting", "running", "done", "failed", "cancelled", "expired", "deleted")
_COUNTS = "SELECT state, count(*) FROM export GROUP BY state"
_FILES = "SELECT count(*), coalesce(sum(bytes), 0) FROM export WHERE state = 'done'"
_OLDEST = """
SELECT coalesce(greatest(extract(epoch FROM %s - min(created_at)), 0), 0) FROM export
WHERE state IN ('waiting', 'running')
"""


def collect() -> Iterator[Metric]:
    """Exports by state, what their files take, and how long the oldest open one has waited."""
    counts = dict(sql.rows(_COUNTS))
    by_state = GaugeMetricFamily("exports", "Exports of the last 90 days", labels=["state"])
    for state in _STATES:
        by_state.add_metric([state], int(counts.get(state, 0)))
    yield by_state
    files, size = sql.rows(_FILES)[0]
    yield GaugeMetricFamily("exports_files", "Files that can be downloaded", value=int(files))
    yield GaugeMetricFamily("exports_files_bytes", "What they take", value=int(size))
    oldest = sql.rows(_OLDEST, [clock.now()])[0][0]
    yield GaugeMetricFamily(
        "exports_oldest_age_seconds",
        "Since the oldest open export was ordered",
        value=float(oldest),
    )
