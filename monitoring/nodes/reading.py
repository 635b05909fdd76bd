"""A server as the panel tells of it, as the columns that are the panel's."""

from typing import Any

from monitoring.nodes.models import Health, Node
from subscriptions.panel.types import NodeState, PanelNode

_HEALTH = {
    NodeState.UP: Health.ONLINE,
    NodeState.DOWN: Health.OFFLINE,
    NodeState.STARTING: Health.WARNING,
    NodeState.DISABLED: Health.MAINTENANCE,
}
# What an answer says of a server, beside its state.
COLUMNS = (
    "name", "address", "country_code", "provider", "tags", "view_position", "status_message",
    "users_online", "rx_bytes_per_s", "tx_bytes_per_s", "load_1m", "cpus", "memory_used_bytes",
    "memory_total_bytes", "traffic_used_bytes", "traffic_limit_bytes", "xray_version",
    "node_version", "xray_uptime_s",
)  # fmt: skip
UNKNOWN = "XX"


def health_of(told: PanelNode) -> Health:
    """The three flags of the panel as one word (contract, section 5)."""
    return _HEALTH[told.state]


def columns_of(told: PanelNode) -> dict[str, Any]:
    """The values of COLUMNS. Texts are cut to what the columns hold, counters never negative."""
    load = told.load
    return {
        "name": told.name[:200],
        "address": told.address[:300],
        "country_code": country_of(told.country_code),
        "provider": (told.provider_name or "")[:200],
        "tags": [tag[:100] for tag in told.tags],
        "view_position": told.view_position,
        "status_message": told.status_message or "",
        "users_online": max(0, told.users_online),
        "rx_bytes_per_s": None if load is None else load.rx_bytes_per_s,
        "tx_bytes_per_s": None if load is None else load.tx_bytes_per_s,
        "load_1m": load.load_average[0] if load is not None and load.load_average else None,
        "cpus": None if load is None else load.cpus,
        "memory_used_bytes": None if load is None else load.memory_used_bytes,
        "memory_total_bytes": None if load is None else load.memory_total_bytes,
        "traffic_used_bytes": max(0, told.traffic_used_bytes),
        "traffic_limit_bytes": max(0, told.traffic_limit_bytes),
        "xray_version": (told.xray_version or "")[:60],
        "node_version": (told.node_version or "")[:60],
        "xray_uptime_s": max(0.0, told.xray_uptime_s),
    }


def country_of(code: str) -> str:
    """Two letters; XX for what is none."""
    code = code.strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else UNKNOWN


def columns_set(row: Node, told: PanelNode) -> None:
    """Write them into a row, not saved."""
    for name, value in columns_of(told).items():
        setattr(row, name, value)
