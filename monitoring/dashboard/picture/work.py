"""The job platform: what waits, for how long, and how fast it goes."""

from typing import Any

from django.urls import reverse

from jobs.selectors.queues import QueueRates, queues_depth, queues_rates
from lib import clock


def work() -> dict[str, Any]:
    """{per_second, failed_per_second, due, oldest_s, dead, queues: [...]}. Six bounded queries.

    Depths are counted up to 10,000; outside workers' queues are among them. due and oldest_s leave out
    the queues that a person has paused: those wait on purpose.
    """
    now, (rates, minute_s) = clock.now(), queues_rates()
    home = reverse("admin:jobs_queue_changelist")
    queues: list[dict[str, Any]] = []
    for depth in queues_depth():
        pace = rates.get(depth.name, QueueRates()).per_second(minute_s)
        oldest = depth.oldest_due_at
        queues.append(
            {
                "name": depth.name,
                "due": depth.available,
                "running": depth.running,
                "scheduled": depth.scheduled,
                "dead": depth.dead,
                "oldest_s": None if oldest is None else max(0, (now - oldest).total_seconds()),
                "is_paused": depth.paused_at is not None,
                "made_per_s": pace["made"],
                "ended_per_s": pace["ended"],
                "failed_per_s": pace["failed"],
                "link": f"{home}#queue-{depth.name}",
            }
        )
    moving = [queue for queue in queues if not queue["is_paused"]]
    return {
        "per_second": round(sum(queue["ended_per_s"] for queue in queues), 2),
        "failed_per_second": round(sum(queue["failed_per_s"] for queue in queues), 2),
        "due": sum(queue["due"] for queue in moving),
        "oldest_s": max(
            (queue["oldest_s"] for queue in moving if queue["oldest_s"] is not None), default=None
        ),
        "dead": sum(queue["dead"] for queue in queues),
        "queues": queues,
    }
