"""What Prometheus reads of money to access, out of the database: the same whichever process is asked."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily, Metric

from jobs import sql
from lib import clock
from subscriptions.access.gaps import GapKind
from subscriptions.access.latency import BOUNDS_S, OPEN
from subscriptions.models import AccessCheck, Activation


def collect() -> Iterator[Metric]:
    """All numbers. Four queries, over open rows and a dozen buckets."""
    yield _latency()
    yield from _gaps()
    waiting = GaugeMetricFamily(
        "activations_waiting", "Paid and not activated yet, by state", labels=["state"]
    )
    states = dict.fromkeys(
        [Activation.State.PENDING, Activation.State.FAILED, Activation.State.HELD], 0
    )
    found = sql.rows(
        "SELECT state, count(*) FROM subscription_activation WHERE state <> 'applied' GROUP BY state"
    )
    for state, count in found:
        states[Activation.State(state)] = count
    for state, count in states.items():
        waiting.add_metric([state.value], count)
    yield waiting
    checked_at = AccessCheck.objects.values_list("finished_at", flat=True).first()
    if checked_at is not None:
        yield GaugeMetricFamily(
            "access_check_age_seconds",
            "Since provider, ledger and panel were last compared",
            value=max(0.0, (clock.now() - checked_at).total_seconds()),
        )


def _latency() -> Metric:
    counts: dict[int, tuple[int, float]] = {
        le: (count, total_s)
        for le, count, total_s in sql.rows("SELECT le, count, total_s FROM access_latency")
    }
    buckets, so_far = [], 0
    for bound in (*BOUNDS_S, OPEN):
        so_far += counts.get(bound, (0, 0.0))[0]
        buckets.append(("+Inf" if bound == OPEN else f"{bound}", float(so_far)))
    return HistogramMetricFamily(
        "paid_to_access_seconds",
        "From the payment at the provider to access that was read back from the panel",
        buckets=buckets,
        sum_value=sum(total_s for _, total_s in counts.values()),
    )


def _gaps() -> Iterator[Metric]:
    gaps = GaugeMetricFamily("access_gaps_open", "Paid and not served as paid", labels=["kind"])
    counts, oldest_s = dict.fromkeys(GapKind, 0), 0.0
    for kind, count, age_s in sql.rows(
        """SELECT kind, count(*), extract(epoch FROM %s - min(found_at))::float8
        FROM access_gap WHERE healed_at IS NULL GROUP BY kind""",
        [clock.now()],
    ):
        counts[GapKind(kind)] = count
        oldest_s = max(oldest_s, age_s)
    for kind, count in counts.items():
        gaps.add_metric([kind.value], count)
    yield gaps
    yield GaugeMetricFamily(
        "access_gap_oldest_seconds", "Since the oldest open gap was found", value=oldest_s
    )
