"""The job platform and the django-q2 cluster that carries it (docs/jobs.md)."""

from datetime import timedelta
from typing import Any

from config import env

WORKER_CONCURRENCY = env.integer("WORKER_CONCURRENCY", 2, least=1, most=256)
WORKER_THREADS = env.integer("WORKER_THREADS", 8, least=0, most=256)
METRICS_PORT = env.integer("METRICS_PORT", 0, least=0, most=65535)  # 0: no port of its own
RESULT_TTL = env.span("RESULT_TTL_SECONDS", "3600")


def _span(name: str, default: str, *, least: timedelta) -> timedelta:
    value = env.span(name, default)
    if value < least:
        raise env.SettingInvalid(name, f"must be at least {least.total_seconds():g}s.")
    return value


JOBS: dict[str, Any] = {
    # Queues that our own workers serve. Jobs of a threaded queue wait for the network, so a worker
    # process runs several of them at once in threads.
    "queues": env.words("WORKER_QUEUES", ("default", "notifications", "maintenance")),
    "threaded_queues": ["notifications"],
    # Leased only over REST.
    "external_queues": ["external"],
    "threads": WORKER_THREADS,
    "lease": _span("JOB_LEASE", "30s", least=timedelta(seconds=1)),
    "grace": env.span("WORKER_GRACE", "25s"),  # SIGTERM: how long running jobs may take
    "max_crashes": 3,
    "max_args_bytes": 256 * 1024,
    "max_batch": 100,  # jobs per lease
    # Work that one lease may hold. Less spreads a few short jobs over more workers, and costs leases.
    "pocket": _span("JOB_POCKET", "250ms", least=timedelta(milliseconds=1)),
    "result_ttl": RESULT_TTL,
    "history_days": env.integer("JOB_HISTORY_DAYS", 14, least=1),
    "dead_days": env.integer("JOB_DEAD_DAYS", 90, least=1),
    # A process of the pool that is silent for longer is replaced; idle ones beat every third of it.
    "watchdog": _span("JOB_WATCHDOG", "15s", least=timedelta(seconds=3)),
    "wake": env.choice("JOB_WAKE", "notify", ("notify", "redis", "poll")),
    "scale_min": env.integer("WORKER_MIN", 0, least=0),
    "scale_max": env.integer("WORKER_MAX", 0, least=0),  # 0: the pool keeps its size
    "scale_target_s": 30.0,
}

Q_CLUSTER = {
    "name": "switchboard",
    "broker_class": "jobs.pool.broker.TicketBroker",
    "workers": WORKER_CONCURRENCY,
    "recycle": 10_000,  # tickets; max_rss replaces those that grow
    "max_rss": 512 * 1024,  # kB; a worker that grew beyond it is replaced between two tickets
    # Time limits are the platform's own, per kind; django-q2 warns at each start if it has none.
    "timeout": 7 * 86_400,
    "retry": 7 * 86_400 + 1,
    "queue_limit": WORKER_CONCURRENCY,
    "bulk": 1,
    "save_limit": -1,
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "scheduler": False,  # jobs/schedules fires the Schedule rows, to the second
    "label": "django-q2",
    "log_level": "WARNING",
}
