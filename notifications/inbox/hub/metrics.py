"""What this process tells Prometheus about its sockets: names of the source document."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import (
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

BUCKETS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000)


class SocketMetrics(Collector):
    """`websocket_connections` and `delivery_latency_ms` (accepted until written to a socket).

    A histogram of our own: one sum for all sockets of a person, and nothing to lock.
    """

    def __init__(self) -> None:
        self.connections: Callable[[], int] = lambda: 0
        self._counts = [0] * (len(BUCKETS_MS) + 1)
        self._sum_ms = 0.0

    def delivered(self, deliveries: Iterable[tuple[float, int]]) -> None:
        """(milliseconds since it was accepted, number of sockets) of each notification."""
        counts = self._counts
        for latency_ms, sockets in deliveries:
            counts[bisect_left(BUCKETS_MS, latency_ms)] += sockets
            self._sum_ms += latency_ms * sockets

    def describe(self) -> Iterator[Metric]:
        return iter(())  # nothing is asked of the hub when it is registered

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "websocket_connections", "Open WebSocket connections.", self.connections()
        )
        total, buckets = 0, []
        for bound, count in zip([*map(str, BUCKETS_MS), "+Inf"], self._counts, strict=True):
            total += count
            buckets.append((bound if bound == "+Inf" else f"{float(bound)}", float(total)))
        yield HistogramMetricFamily(
            "delivery_latency_ms",
            "From accepting a notification to writing it to a socket, in milliseconds.",
            buckets=buckets,
            sum_value=self._sum_ms,
        )


METRICS = SocketMetrics()
REGISTRY.register(METRICS)
