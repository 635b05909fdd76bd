"""Rules about Postgres, Redis and the disk."""

import shutil
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings

from jobs import sql
from lib import clock
from monitoring.alerts.wording.catalogue import says
from monitoring.checks.models import ServiceCheck
from monitoring.checks.models.service import ServiceState
from monitoring.checks.rules.rule import Part, Reading, Unmeasurable, idle

_PAGE = "/admin/checks/servicecheck/"
_FRESH = timedelta(minutes=5)

# Backups and replication read for hours and hold up nobody who writes.
_LONGEST = """
SELECT pid, coalesce(application_name, ''), state,
    extract(epoch FROM clock_timestamp() - xact_start)::float8
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start IS NOT NULL
    AND pid <> pg_backend_pid() AND application_name NOT LIKE 'pg_dump%%'
ORDER BY xact_start LIMIT 1
"""
# Advisory locks are left out: whoever waits for one does so on purpose.
_WAITING = """
SELECT l.pid, extract(epoch FROM clock_timestamp() - min(l.waitstart))::float8,
    (pg_blocking_pids(l.pid))[1]
FROM pg_locks l
WHERE NOT l.granted AND l.locktype <> 'advisory' AND l.waitstart IS NOT NULL
    AND (l.database IS NULL OR l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
GROUP BY l.pid ORDER BY 2 DESC
"""


def long_transaction() -> Reading:
    """The age of the oldest open transaction: it keeps dead rows and may hold locks."""
    row = sql.row(_LONGEST)
    if row is None:
        return Reading(0.0, "no transaction is open")
    pid, name, state, seconds = row
    age = timedelta(seconds=max(0.0, seconds))
    said = says("long_transaction", age=age, pid=pid, name=name or None, state=state)
    part = Part("postgres", age.total_seconds(), said, f"{_PAGE}postgres/change/")
    return Reading(part.value, said.words().text, (part,))


def blocked_sessions() -> Reading:
    """How long the session waits that waits longest for a lock of another."""
    rows = sql.rows(_WAITING)
    if not rows:
        return Reading(0.0, "nobody waits for a lock")
    pid, seconds, blocker = rows[0]
    seconds = max(0.0, seconds)
    waits = timedelta(seconds=seconds)
    said = says("blocked_sessions", waits=waits, count=len(rows), pid=pid, blocker=blocker)
    part = Part("postgres", seconds, said, f"{_PAGE}postgres/change/")
    return Reading(seconds, said.words().text, (part,))


def postgres_connections() -> Reading:
    """Connections in use, as a share of max_connections; from the last look at the server."""
    facts = _facts("postgres")
    used, most = facts.get("connections"), facts.get("connections_most")
    if used is None or not most:
        raise Unmeasurable("the server did not tell its connections")
    share = 100 * used / most
    said = says("postgres_connections", used=used, most=most)
    part = Part("postgres", share, said, f"{_PAGE}postgres/change/")
    return Reading(share, said.words().text, (part,))


def redis_memory() -> Reading:
    """Memory in use, as a share of maxmemory; from the last look at the server."""
    facts = _facts("redis")
    used, most = facts.get("memory_bytes"), facts.get("memory_most_bytes")
    if used is None or most is None:
        raise Unmeasurable("Redis did not tell its memory")
    if not most:
        return idle("Redis has no limit (maxmemory)")
    share = 100 * used / most
    evicted = facts.get("evicted", 0)
    said = says("redis_memory", share=share, used=used, most=most, evicted=evicted)
    return Reading(share, said.words().text, (Part("redis", share, said, f"{_PAGE}redis/change/"),))


def _facts(name: str) -> Mapping[str, Any]:
    """What a service said of itself at its last look. Raises Unmeasurable if that is too long ago."""
    row = ServiceCheck.objects.filter(pk=name).first()
    if row is None or row.ok_at is None or row.state != ServiceState.UP:
        raise Unmeasurable("the service does not answer, or was not looked at yet")
    if clock.now() - row.ok_at > max(_FRESH, 3 * settings.SERVICE_CHECK_INTERVAL):
        raise Unmeasurable("nobody has looked at the service lately")
    return dict(row.facts)


def disk_space() -> Reading:
    """Free space of the disk of DATA_DIR, on the machine of the worker that measures, in percent."""
    try:
        disk = shutil.disk_usage(settings.DISK_WATCHED)
    except OSError as exc:
        raise Unmeasurable(f"DATA_DIR cannot be looked at: {exc.strerror}") from None
    share = 100 * disk.free / disk.total
    said = says("disk_space", share=share, free=disk.free, whole=disk.total)
    return Reading(share, said.words().text, (Part("data", share, said),))
