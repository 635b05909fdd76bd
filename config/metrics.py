"""What Prometheus reads: the counters of this process, and numbers that the database knows.

A number of the process (requests, latencies) is a plain prometheus_client metric. A number that
every process would see alike (depth of a queue, what workers did) is given by a function here,
asked at each scrape of the web process only, so that it is counted once.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import REGISTRY, CollectorRegistry, Counter
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

Source = Callable[[], Iterable[Metric]]

FAILURES = Counter(
    "switchboard_metrics_source_failures",
    "Scrapes in which a source of metrics failed; its numbers are missing then.",
    ["source"],
)
_sources: dict[str, Source] = {}

logger = logging.getLogger("switchboard.metrics")


def register_collector(source: Source) -> Source:
    """Add a function that yields metrics at each scrape; also as a decorator. Safe to repeat.

    It runs on the scrape's own time: a query or two on an index, no more. If it fails, its numbers
    are missing and counted in switchboard_metrics_source_failures_total, the others are told.
    """
    _sources[f"{source.__module__}.{source.__qualname__}"] = source
    return source


def exposition(accept: str = "", *, shared: bool = True) -> tuple[bytes, str]:
    """(body, content type) in the format that the scraper accepts.

    shared=False leaves out what the database knows: for the own port of a worker process.
    """
    encode, content_type = choose_encoder(accept)
    return encode(_Everything(shared=shared)), content_type


class _Everything(CollectorRegistry):
    """One exposition out of both kinds; OpenMetrics cannot be put together from two."""

    def __init__(self, *, shared: bool) -> None:
        super().__init__()
        self._shared = shared

    def collect(self) -> Iterator[Metric]:
        yield from _of_processes().collect()
        if self._shared:
            for name, source in list(_sources.items()):
                yield from _collected(name, source)


def _of_processes() -> Collector:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several processes behind one port
        return MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
    return REGISTRY


def _collected(name: str, source: Source) -> list[Metric]:
    try:
        return list(source())
    except Exception:
        logger.exception("metrics of %s are missing", name)
        FAILURES.labels(name).inc()
        return []
