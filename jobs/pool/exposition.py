"""The own port of a pool (METRICS_PORT): what only its processes know, and whether it works.

No database is asked. What all processes would tell alike (jobs, queues, workers) is at /metrics of the
web process.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.pool.health import workers_of
from jobs.pool.memory import PoolMemory

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger("jobs.pool")

Ailment = Callable[[], str | None]


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
        calls, calls_skipped = self._pool.calls
        heard = CounterMetricFamily("wakeups", "Calls that the pusher heard")
        heard.add_metric([], calls)
        skipped = CounterMetricFamily(
            "wakeups_skipped", "Calls for which no worker was woken: all were awake already"
        )
        skipped.add_metric([], calls_skipped)
        yield from (workers, wanted, tickets, restarts, heard, skipped)


def serve_metrics(port: int, pool: PoolMemory, ails: Ailment) -> None:
    """Serve /metrics and /health on a thread of this process.

    /health is 200, or 503 with what `ails` says. A port that is taken is logged, work goes on.
    """
    registry = CollectorRegistry()
    registry.register(PoolCollector(pool))
    ProcessCollector(registry=registry)
    metrics = make_wsgi_app(registry)

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/health":
            told: Iterable[bytes] = metrics(environ, start_response)
            return told
        ailment = ails()
        status = "503 Service Unavailable" if ailment else "200 OK"
        start_response(
            status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        )
        said = {"status": ailment or "ok", "workers": workers_of(pool)}
        return [json.dumps(said).encode()]

    try:
        server = make_server("0.0.0.0", port, app, _Server, _Quiet)  # noqa: S104 - scraped from outside
    except OSError as exc:
        logger.error("METRICS_PORT %d cannot be served: %s", port, exc.strerror)  # noqa: TRY400
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


class _Server(ThreadingMixIn, WSGIServer):
    """A slow scraper holds up no probe."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Probes and scrapes write no log lines."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base
        del format, args
