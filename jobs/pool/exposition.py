"""The own port of a pool (METRICS_PORT): what only its processes know. No database is asked.

What all processes would tell alike (jobs, queues, workers) is at /metrics of the web process.
"""

import logging
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.pool.memory import PoolMemory

logger = logging.getLogger("jobs.pool")


class PoolCollector(Collector):
    """Reads the shared memory of the pool at each scrape."""

    def __init__(self, pool: PoolMemory) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        """Workers, tickets and restarts."""
        workers = GaugeMetricFamily("pool_workers", "Worker processes", labels=["state"])
        live = [slot for _, slot in self._pool.slots() if slot.pid]
        workers.add_metric(["busy"], sum(1 for slot in live if slot.busy))
        workers.add_metric(["idle"], sum(1 for slot in live if not slot.busy))
        wanted = GaugeMetricFamily("pool_workers_wanted", "What the backlog wants; 0: not asked")
        wanted.add_metric([], self._pool.wanted)
        tickets = CounterMetricFamily("pool_tickets", "Work tickets taken")
        tickets.add_metric([], sum(slot.tickets for _, slot in self._pool.slots()))
        restarts = CounterMetricFamily("watchdog_restarts", "Times the whole pool was started anew")
        restarts.add_metric([], self._pool.restarts)
        yield from (workers, wanted, tickets, restarts)


def serve_metrics(port: int, pool: PoolMemory) -> None:
    """Serve them on a thread of this process. A port that is taken is logged, work goes on."""
    registry = CollectorRegistry()
    registry.register(PoolCollector(pool))
    ProcessCollector(registry=registry)
    try:
        start_http_server(port, registry=registry)
    except OSError as exc:
        logger.error("METRICS_PORT %d cannot be served: %s", port, exc.strerror)  # noqa: TRY400
