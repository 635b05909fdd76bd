"""What Prometheus reads of the broadcasts, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from jobs import sql
from lib import clock
from notifications.broadcasts.models import Status

_FATES = ("sent", "failed", "skipped", "unknown")


def collect() -> Iterator[Metric]:
    """All numbers. Two queries: over the broadcasts, never over a ledger."""
    statuses = dict.fromkeys(Status.values, 0)
    fates = dict.fromkeys(_FATES, 0)
    waiting, rate = 0, 0.0
    for status, count, *numbers in sql.rows(
        """SELECT status, count(*), sum(sent)::bigint, sum(failed)::bigint, sum(skipped)::bigint,
            sum(unknown)::bigint, sum(total - sent - failed - skipped - unknown)::bigint,
            coalesce(sum(rate) FILTER (WHERE status = 'sending' AND rate_at > %s - interval '15 seconds'), 0)
        FROM notification_broadcasts GROUP BY status""",
        [clock.now()],
    ):
        statuses[status] = count
        for fate, number in zip(_FATES, numbers, strict=False):
            fates[fate] += number
        if status in {Status.SENDING, Status.PAUSED}:
            waiting += numbers[4]
        rate += numbers[5]
    yield _gauge("broadcasts", "Broadcasts by status", "status", statuses)
    counter = CounterMetricFamily(
        "broadcast_recipients", "Recipients of broadcasts by fate", labels=["fate"]
    )
    for fate, number in fates.items():
        counter.add_metric([fate], number)
    yield counter
    yield GaugeMetricFamily(
        "broadcast_recipients_waiting",
        "Recipients of broadcasts that have no fate yet",
        value=waiting,
    )
    yield GaugeMetricFamily(
        "broadcast_rate", "Recipients per second that get their fate", value=rate
    )
    late = sql.row(
        """SELECT extract(epoch FROM %s - min(scheduled_at)) FROM notification_broadcasts
        WHERE status = 'scheduled'""",
        [clock.now()],
    )
    seconds = max(0.0, float(late[0])) if late and late[0] is not None else 0.0
    yield GaugeMetricFamily(
        "broadcast_late_seconds",
        "For how long the oldest due broadcast waits to start",
        value=seconds,
    )


def _gauge(name: str, what: str, label: str, values: dict[str, int]) -> Metric:
    gauge = GaugeMetricFamily(name, what, labels=[label])
    for value, number in values.items():
        gauge.add_metric([value], number)
    return gauge
