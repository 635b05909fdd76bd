"""The rings of the suite. A test says with a marker if it is unit, process or browser; what says
nothing gets the database, in one transaction. Folders that stand outside of Django get nothing."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
# Folder under tests/ -> its ring. None: no database, no marker.
FOLDERS: dict[str, str | None] = {
    "processes": "process",
    "browser": "browser",
    "lib": None,
    "sandbox_tests": None,
}
RINGS = ("unit", "process", "browser")
# Servers, a migration and a pool may take two minutes to start on a machine with twenty things to do. Only
# what hangs is to be ended.
PATIENCE_S = 400
# In the ring of processes a file stays with one worker. The longest begin first, or one of them would be
# the last, and the other worker idle meanwhile.
LONGEST = (
    "processes/test_inbox_fuzz.py",
    "monitoring/files/test_watcher_process.py",
    "processes/test_broadcasts.py",
    "processes/test_watchdog.py",
    "processes/test_inbox_redis.py",
    "processes/test_stops.py",
    "processes/test_two_clusters.py",
    "processes/test_enqueueing.py",
    "config/run/test_run.py",
    "processes/test_inbox_pods.py",
    "processes/test_limits.py",
    "processes/test_redis_faults.py",
    "monitoring/files/test_end_to_end.py",
    "processes/test_random_kills.py",
    "processes/test_telegram.py",
    "processes/test_postgres_faults.py",
    "processes/test_webhooks.py",
    "processes/test_quarantine.py",
    "processes/test_conversations.py",
    "config/test_production.py",
    "browser/test_inbox_console.py",
    "browser/test_broadcasts.py",
    "browser/test_broadcasts_progress.py",
    "browser/test_jobs_console.py",
    "browser/test_inbox_client.py",
)
_PLACES = {name: place for place, name in enumerate(LONGEST)}


def place(item: pytest.Item) -> int:
    """Where its file begins among the others; within a file the order stays."""
    return _PLACES.get(item.path.relative_to(ROOT).as_posix(), len(LONGEST))


def assign(item: pytest.Item) -> None:
    """Give a collected test the marker of its ring, and the patience that it needs."""
    if not any(item.get_closest_marker(ring) for ring in (*RINGS, "django_db")):
        folder = item.path.relative_to(ROOT).parts[0]
        ring = FOLDERS.get(folder, "django_db")
        if ring is not None:
            item.add_marker(ring)
    starts_processes = item.get_closest_marker("process") or item.get_closest_marker("browser")
    if starts_processes and not item.get_closest_marker("timeout"):
        item.add_marker(pytest.mark.timeout(PATIENCE_S))
