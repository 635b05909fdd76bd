"""What Prometheus reads of retention, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from reports.retention.days import days_now
from reports.retention.selectors import last_done


def collect() -> Iterator[Metric]:
    """One query for the runs, two for the partitioned tables."""
    at = GaugeMetricFamily(
        "retention_last_run_timestamp_seconds", "When a cleanup last ended well", labels=["kind"]
    )
    rows = GaugeMetricFamily(
        "retention_last_run_rows", "Rows that this run removed", labels=["kind"]
    )
    for run in last_done():
        if run.finished_at is not None:
            at.add_metric([run.kind], run.finished_at.timestamp())
            rows.add_metric([run.kind], run.rows)
    yield at
    yield rows
    missing = GaugeMetricFamily(
        "partition_days_missing", "Of today and the next days, not made yet", labels=["table"]
    )
    rest = GaugeMetricFamily(
        "partition_rest_rows", "Rows outside of all days, up to 1000", labels=["table"]
    )
    for each in days_now():
        missing.add_metric([each.table], len(each.missing))
        rest.add_metric([each.table], each.rest)
    yield missing
    yield rest
