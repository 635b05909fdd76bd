"""What Prometheus reads of the mirror, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from django.conf import settings
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from jobs import sql
from lib import clock
from subscriptions.panel.token import token_expires_at

_STATUSES = ("active", "disabled", "limited", "expired")


def collect() -> Iterator[Metric]:
    """All numbers. Five queries, each of a few rows on an index."""
    now = clock.now()
    yield from _counts()
    last = sql.row(
        """SELECT extract(epoch FROM %s - started_at) FROM mirror_pass
        WHERE finished_at IS NOT NULL AND error = '' ORDER BY id DESC LIMIT 1""",
        [now],
    )
    if last is not None:
        yield GaugeMetricFamily(
            "mirror_pass_age_seconds",
            "Since the last pass over all users of the panel that went well began",
            value=max(float(last[0]), 0.0),
        )
    waiting, oldest = sql.rows(
        "SELECT count(*), extract(epoch FROM %s - min(at)) FROM panel_hint", [now]
    )[0]
    yield GaugeMetricFamily(
        "panel_hints_waiting",
        "Users whom the panel told us of and who are not read yet",
        value=waiting,
    )
    yield GaugeMetricFamily(
        "panel_hints_oldest_seconds",
        "For how long the oldest waits",
        value=max(float(oldest or 0), 0.0),
    )
    drifts = sql.rows("SELECT count(*) FROM subscriber_drift WHERE resolved_at IS NULL")[0][0]
    yield GaugeMetricFamily(
        "mirror_drifts_open", "Fields on which panel and mirror do not agree", value=drifts
    )
    held = sql.row("SELECT held_reason <> '' FROM panel_state WHERE id = 1")
    yield GaugeMetricFamily(
        "panel_writes_held",
        "1 while nothing is written to the panel",
        value=int(bool(held and held[0])),
    )
    ends_at = token_expires_at(settings.REMNAWAVE_API_TOKEN)
    if ends_at is not None:
        yield GaugeMetricFamily(
            "panel_token_left_seconds", "Until the token of the panel ends",
            value=(ends_at - now).total_seconds(),
        )  # fmt: skip


def _counts() -> Iterator[Metric]:
    """The last figures that were taken (counting.py); nothing before the first."""
    row = sql.row(
        f"""SELECT {", ".join(_STATUSES)}, online FROM subscriber_count
        ORDER BY at DESC LIMIT 1"""
    )
    if row is None:
        return
    subscribers = GaugeMetricFamily("subscribers", "Subscribers by status", labels=["status"])
    for status, count in zip(_STATUSES, row, strict=False):
        subscribers.add_metric([status], count)
    yield subscribers
    yield GaugeMetricFamily("subscribers_online", "Who is connected just now", value=row[-1])
