"""What Prometheus reads of the Telegram queue, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from jobs import sql
from notifications.telegram import governor, stats
from notifications.telegram.lane_state import COUNTED, backlog

_UNREACHABLE = """
SELECT count(*) FROM (SELECT FROM telegram_chat WHERE unreachable_since IS NOT NULL LIMIT %s) q
"""
_MOST = 100_000


def collect() -> Iterator[Metric]:
    """All families. Six small queries."""
    messages = CounterMetricFamily(
        "telegram_messages", "Messages by what became of a try", labels=["type", "status"]
    )
    for (kind, status), times in sorted(stats.totals().items()):
        messages.add_metric([kind, status], times)
    yield messages
    waited, due = backlog() or (None, 0)
    yield GaugeMetricFamily(
        "telegram_queue_due", f"Messages that are due, up to {COUNTED + 1}", value=due
    )
    yield GaugeMetricFamily(
        "telegram_queue_oldest_seconds",
        "For how long the oldest message is due",
        value=waited.total_seconds() if waited else 0.0,
    )
    pause = governor.paused_for()
    yield GaugeMetricFamily(
        "telegram_paused_seconds",
        "How long the bot still keeps silent because Telegram asked it to",
        value=pause.total_seconds() if pause else 0.0,
    )
    found = sql.row(_UNREACHABLE, [_MOST])
    yield GaugeMetricFamily(
        "telegram_chats_unreachable",
        f"Chats that cannot be written to, up to {_MOST}",
        value=int(found[0]) if found else 0,
    )
