"""What Prometheus reads of the conversations, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from jobs import sql
from notifications.conversations.models import Fate, Reason
from notifications.conversations.stats import totals

_WAITING = "SELECT count(*) FROM conversation_participant WHERE pending_position IS NOT NULL"
# A try that ended in an error; what it would have told is told by the next one.
_FAILED = """
SELECT coalesce(sum(count), 0)::bigint FROM jobs_jobstat
WHERE kind = 'conversations.notify_unread' AND event IN ('retried', 'dead', 'crashed')
"""


def collect() -> Iterator[Metric]:
    """All families. Three queries."""
    counts = totals()
    skipped = CounterMetricFamily(
        "smart_notifications_skipped", "Timers that told nobody", labels=["reason"]
    )
    for reason in Reason.values:
        skipped.add_metric([reason], counts.get((Fate.SKIPPED, reason), 0))
    sent = counts.get((Fate.SENT, ""), 0)
    every = sent + sum(counts.get((Fate.SKIPPED, reason), 0) for reason in Reason.values)
    yield CounterMetricFamily(
        "smart_notifications_processed", "Timers that rang and were decided", value=every
    )
    yield CounterMetricFamily("smart_notifications_sent", "Events that were stored", value=sent)
    yield CounterMetricFamily(
        "smart_notifications_debounced",
        "Messages that a later one took the timer of",
        value=counts.get(("debounced", ""), 0),
    )
    yield skipped
    yield CounterMetricFamily(
        "smart_notifications_failed", "Tries that ended in an error", value=_number(_FAILED)
    )
    yield CounterMetricFamily(
        "conversation_messages", "Messages sent", value=counts.get(("message", ""), 0)
    )
    yield CounterMetricFamily(
        "conversation_dialogs_archived",
        "Dialogs put away unused",
        value=counts.get(("archived", ""), 0),
    )
    yield GaugeMetricFamily(
        "smart_notifications_waiting", "People whose timer runs", value=_number(_WAITING)
    )


def _number(query: str) -> int:
    found = sql.row(query)
    return int(found[0]) if found else 0
