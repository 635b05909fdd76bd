"""What stood where when a test of processes failed: told with the failure, since all of it is gone later."""

from collections.abc import Iterator

import psycopg

from tests.processes.site import Site

_JOBS = """SELECT queue, state, kind, count(*), min(worker), max(crash_count),
    min(lease_until) - clock_timestamp()
FROM jobs_job WHERE state <> 'dead' GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 30"""
_PAUSED = "SELECT name, pause_reason FROM jobs_queue WHERE paused_at IS NOT NULL"
_BUSY = """SELECT pid, wait_event_type, wait_event, clock_timestamp() - xact_start, left(query, 120)
FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle'"""


def scene(site: Site) -> str:
    """Open jobs, paused queues, busy connections, and the clusters that live with the end of their logs."""
    return "\n".join(_lines(site))


def _lines(site: Site) -> Iterator[str]:
    for title, query in (("open jobs", _JOBS), ("paused queues", _PAUSED), ("busy", _BUSY)):
        yield f"{title}:"
        try:
            yield from (f"  {row}" for row in site.rows(query))
        except psycopg.Error as exc:
            yield f"  not to be had: {exc}"
    for cluster in site.clusters:
        if cluster.living():
            yield f"cluster {cluster.name}: {cluster.roles()}"
            yield cluster.tail()
