"""The job of the live dashboard."""

from typing import Any

from jobs.ladders import ANALYTICS
from jobs.models import Priority
from jobs.registry import job
from monitoring.dashboard.refreshing import snapshot_refresh


@job(
    "monitoring.refresh_dashboard",
    queue="notifications",  # in threads: it goes on while a worker is at a job of an hour
    priority=Priority.HIGH,
    every="30s",
    immediate=True,
    single=True,
    retry=ANALYTICS,
    timeout="90s",
)
def refresh_dashboard() -> dict[str, Any]:
    """Take the picture of the business that the live dashboard shows, and push it to who looks."""
    return snapshot_refresh()
