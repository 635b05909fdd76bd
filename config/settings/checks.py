"""Checks of services, and the thresholds of the rules (docs/checks.md). The console can override them."""

from datetime import timedelta
from urllib.parse import urlsplit

from config import env
from config.settings.base import DATA_DIR

SERVICE_CHECK_INTERVAL = timedelta(
    seconds=env.integer("HEALTH_CHECK_INTERVAL_SECONDS", 60, least=5, most=3600)
)
SERVICE_CHECK_TIMEOUT = env.span("SERVICE_CHECK_TIMEOUT", "10s")  # of each service, side by side
# Addresses that answer whenever our own way out works; none: it is not looked at.
UPLINK_PROBES = env.words("UPLINK_PROBES")

RULE_COOLDOWN = env.span("RULE_COOLDOWN", "15m")  # before the same thing may be told of again
RULE_NODE_OFFLINE = env.span("RULE_NODE_OFFLINE", "5m").total_seconds()
RULE_ERROR_RATE = env.integer("RULE_ERROR_RATE_PERCENT", 5, least=0, most=100)
RULE_ERROR_RATE_RUNS = env.integer("RULE_ERROR_RATE_RUNS", 50, least=1)  # fewer tell nothing
RULE_QUEUE_DEPTH = env.integer("RULE_QUEUE_DEPTH", 500, least=0)
RULE_PAYMENT_FAILURES = env.integer("RULE_PAYMENT_FAILURES_PERCENT", 10, least=0, most=100)
RULE_PAYMENT_FAILURES_LEAST = env.integer("RULE_PAYMENT_FAILURES_LEAST", 10, least=1)
RULE_PAYMENT_FAILURES_WINDOW = env.span("RULE_PAYMENT_FAILURES_WINDOW", "6h")
# Most people who leave an invoice unpaid have simply changed their mind.
RULE_PAYMENT_FAILURES_UNPAID = env.boolean("RULE_PAYMENT_FAILURES_UNPAID", default=False)
RULE_WORKER_MEMORY = env.integer("RULE_WORKER_MEMORY_PERCENT", 80, least=1, most=100)
WORKER_MEMORY_LIMIT = env.integer("WORKER_MEMORY_LIMIT_MB", 512, least=64) * 1024 * 1024
RULE_PAID_NOT_SERVED = env.integer("RULE_PAID_NOT_SERVED", 0, least=0)
RULE_PANEL_TOKEN = env.integer("RULE_PANEL_TOKEN_DAYS", 7, least=0)
RULE_DISK_SPACE = env.integer("RULE_DISK_SPACE_PERCENT", 10, least=0, most=100)
RULE_LONG_TRANSACTION = env.span("RULE_LONG_TRANSACTION", "5m").total_seconds()
RULE_BLOCKED_SESSIONS = env.span("RULE_BLOCKED_SESSIONS", "30s").total_seconds()
RULE_POSTGRES_CONNECTIONS = env.integer("RULE_POSTGRES_CONNECTIONS_PERCENT", 80, least=1, most=100)
RULE_REDIS_MEMORY = env.integer("RULE_REDIS_MEMORY_PERCENT", 90, least=1, most=100)
RULE_SCHEDULE_OVERDUE = env.span("RULE_SCHEDULE_OVERDUE", "5m").total_seconds()
DISK_WATCHED = DATA_DIR

if not 1 <= SERVICE_CHECK_TIMEOUT.total_seconds() <= 60:
    raise env.SettingInvalid("SERVICE_CHECK_TIMEOUT", "must be between 1s and 60s.")


def _is_probe(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None:
        return False
    return parts.scheme in ("http", "https") or (parts.scheme == "tcp" and port is not None)


for _address in UPLINK_PROBES:
    if not _is_probe(_address):
        raise env.SettingInvalid(
            "UPLINK_PROBES",
            f"has {_address!r}; it must be addresses such as tcp://1.1.1.1:443 or https://example.com.",
        )
