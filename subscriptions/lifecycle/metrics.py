"""What Prometheus reads of the life cycle, out of the database: the same whichever process is asked."""

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from jobs import sql
from lib import clock
from subscriptions.lifecycle.kinds import sweep_kinds

LATELY = timedelta(hours=24)
_FATES = ("found", "done", "skipped", "unknown", "failed")


def collect() -> Iterator[Metric]:
    """All numbers. Four queries on indexes: a day of notices, what is due, the last run of each sweep."""
    now = clock.now()
    notices = GaugeMetricFamily(
        "subscription_notices_day",
        "Notices of the last 24 hours by stage and state",
        labels=["stage", "state"],
    )
    for stage, state, count in sql.rows(
        """SELECT stage, state, count(*) FROM subscription_notice WHERE created_at > %s
        GROUP BY stage, state ORDER BY stage, state""",
        [now - LATELY],
    ):
        notices.add_metric([stage, state], count)
    yield notices
    due = sql.row(
        """SELECT count(*), extract(epoch FROM %s - min(created_at)) FROM subscription_notice
        WHERE state = 'due'""",
        [now],
    )
    count, oldest = due or (0, None)
    yield GaugeMetricFamily("subscription_notices_due", "Notices that wait", value=count)
    yield GaugeMetricFamily(
        "subscription_notices_oldest_due_seconds",
        "For how long the oldest notice waits",
        value=max(0.0, float(oldest or 0)),
    )
    yield from _sweeps()


def _sweeps() -> Iterator[Metric]:
    size = GaugeMetricFamily(
        "subscription_sweep_people",
        "People of the last run of a sweep by fate; found are all of them",
        labels=["sweep", "fate"],
    )
    names = [kind.name for kind in sweep_kinds()]
    for name, *numbers in sql.rows(
        """SELECT n.name, w.found, w.done, w.skipped, w.unknown, w.failed
        FROM unnest(%s::text[]) n (name) CROSS JOIN LATERAL (
            SELECT * FROM subscription_sweep s WHERE s.name = n.name ORDER BY s.id DESC LIMIT 1
        ) w""",
        [names],
    ):
        for fate, number in zip(_FATES, numbers, strict=True):
            size.add_metric([name, fate], number)
    yield size
    held = sql.row("SELECT count(*) FROM subscription_sweep WHERE state = 'held'")
    yield GaugeMetricFamily(
        "subscription_sweeps_held", "Sweeps that wait for a person", value=held[0] if held else 0
    )
