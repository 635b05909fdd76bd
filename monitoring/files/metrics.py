"""What Prometheus reads of the file watch, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from django.db.models import Sum
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from jobs import sql
from lib import clock
from monitoring.files.models import Rule, Watcher
from monitoring.files.selectors.rules import condition_of
from monitoring.files.selectors.watchers import silence

_OUTCOMES = ("done", "failed", "skipped")


def collect() -> Iterator[Metric]:
    """Six queries at most; none counts a big table."""
    sums = Rule.objects.aggregate(
        **{name: Sum(name) for name in ("batches", "files", "rejected", *_OUTCOMES)}
    )
    yield CounterMetricFamily(
        "file_watch_batches", "Windows in which files changed", value=sums["batches"] or 0
    )
    yield CounterMetricFamily(
        "file_watch_changes", "Changed files that were recorded", value=sums["files"] or 0
    )
    yield CounterMetricFamily(
        "file_watch_rejected_lines",
        "Lines of files that were not taken",
        value=sums["rejected"] or 0,
    )
    files = CounterMetricFamily(
        "file_watch_files", "Changed files by what became of them", labels=["outcome"]
    )
    for name in _OUTCOMES:
        files.add_metric([name], sums[name] or 0)
    yield files
    pending = sql.row(
        "SELECT count(*) FROM (SELECT FROM files_batch WHERE state <> 'finished' LIMIT 10000) q"
    )
    yield GaugeMetricFamily(
        "file_watch_open_batches",
        "Batches that are not finished",
        value=pending[0] if pending else 0,
    )
    yield _rules()
    beat = Watcher.objects.filter(stopped_at=None).order_by("-beat_at").first()
    if beat is not None:
        yield GaugeMetricFamily(
            "file_watch_watcher_age_seconds",
            "Since the last beat of a watcher",
            value=max(0.0, (clock.now() - beat.beat_at).total_seconds()),
        )


def _rules() -> Metric:
    rules = GaugeMetricFamily("file_watch_rules", "Rules by how they stand", labels=["condition"])
    unwatched = silence() is not None
    counts: dict[str, int] = {}
    for rule in Rule.objects.only("paused_at", "problem"):
        condition = condition_of(rule, unwatched)
        counts[condition] = counts.get(condition, 0) + 1
    for condition, count in sorted(counts.items()):
        rules.add_metric([condition], count)
    return rules
