"""Servers: how often they are looked at, when a change counts, what is kept (docs/nodes.md)."""

from datetime import timedelta

from config import env
from lib import durations


def _span(name: str, default: str, least: str, most: str) -> timedelta:
    """A span within bounds."""
    found = env.span(name, default)
    low, high = durations.parse(least), durations.parse(most)
    if not low <= found <= high:
        raise env.SettingInvalid(name, f"must be between {least} and {most}.")
    return found


NODE_CHECK_EVERY = _span("NODE_CHECK_EVERY", "2m", "10s", "1h")
NODE_BANDWIDTH_EVERY = _span("NODE_BANDWIDTH_EVERY", "5m", "1m", "30m")
NODE_LOCATIONS_EVERY = _span("NODE_LOCATIONS_EVERY", "6h", "1m", "7d")
NODE_CONFIGS_EVERY = _span("NODE_CONFIGS_EVERY", "30m", "1m", "7d")
# How long another state must hold before it counts; a server that a person disabled counts at once.
NODE_DOWN_HOLD = _span("NODE_DOWN_HOLD", "0s", "0s", "10m")
NODE_UP_HOLD = _span("NODE_UP_HOLD", "20s", "0s", "10m")
NODE_CONNECTING_HOLD = _span("NODE_CONNECTING_HOLD", "1m", "0s", "30m")
# So many losses within the span, and it flaps, until it has stood still for so long.
NODE_FLAP_LOSSES = env.integer("NODE_FLAP_LOSSES", 3, least=2, most=20)
NODE_FLAP_SPAN = _span("NODE_FLAP_SPAN", "15m", "1m", "1d")
NODE_FLAP_CALM = _span("NODE_FLAP_CALM", "5m", "10s", "1d")
# Silent failure: far below what is usual at this hour of the week.
NODE_SILENT_PERCENT = env.integer("NODE_SILENT_PERCENT", 25, least=1, most=90)
NODE_SILENT_LEAST_USERS = env.integer("NODE_SILENT_LEAST_USERS", 5, least=1, most=100_000)
NODE_SAMPLES_KEPT = _span("NODE_SAMPLES_KEPT", "48h", "24h", "30d")
NODE_HOURS_KEPT = _span("NODE_HOURS_KEPT", "30d", "7d", "400d")
NODE_STATES_KEPT = _span("NODE_STATES_KEPT", "400d", "31d", "3650d")

if 3600 % NODE_BANDWIDTH_EVERY.total_seconds():
    raise env.SettingInvalid(
        "NODE_BANDWIDTH_EVERY", "must divide an hour, such as 1m, 5m, 10m or 15m."
    )
