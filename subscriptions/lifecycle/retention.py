"""What is forgotten of the life cycle: notices, and the people of sweeps. The numbers of runs stay."""

from datetime import timedelta

from django.conf import settings

from jobs import sql
from lib import clock

MOST = 10_000  # of one statement


def notices_forget() -> int:
    """Delete notices that were decided long ago and whose date is past. Repeat-safe."""
    return _drop(
        """DELETE FROM subscription_notice WHERE id IN (
            SELECT id FROM subscription_notice
            WHERE created_at < %(old)s AND expire_at < %(old)s AND state <> 'due' LIMIT %(most)s
        )"""
    )


def items_forget() -> int:
    """Delete the people of sweeps that ended long ago. Repeat-safe."""
    return _drop(
        """DELETE FROM subscription_sweep_item WHERE id IN (
            SELECT i.id FROM subscription_sweep w
            JOIN subscription_sweep_item i ON i.sweep_id = w.id
            WHERE w.finished_at < %(old)s LIMIT %(most)s
        )"""
    )


def _drop(query: str) -> int:
    old, count = clock.now() - timedelta(days=settings.LIFECYCLE_RETENTION_DAYS), 0
    while dropped := sql.run(query, {"old": old, "most": MOST}):
        count += dropped
    return count
