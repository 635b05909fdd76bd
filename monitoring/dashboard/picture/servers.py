"""The servers of the VPN: how many of them work, and what goes through each."""

from datetime import timedelta
from typing import Any

from django.urls import reverse

from lib import clock
from monitoring.nodes.models import Health
from monitoring.nodes.selectors import NodeNow, nodes_now

MOST = 200  # servers that are listed
OLD = timedelta(
    minutes=10
)  # nobody has looked at the servers for so long: their figures say nothing

_ORDER = {Health.OFFLINE: 0, Health.WARNING: 1, Health.ONLINE: 2, Health.MAINTENANCE: 3}


def servers() -> dict[str, Any]:
    """{counts: {health: n}, total, bytes_per_s, users, checked_at, items: [...]}. Three queries.

    bytes_per_s: what people send and receive through all that are online, by the last samples; null when
    nobody knows. items: the worst first, then those with the most traffic.
    """
    nodes = nodes_now()
    checked_at = max((node.checked_at for node in nodes), default=None)
    is_old = checked_at is None or checked_at < clock.now() - OLD
    items = [_line(node, is_old=is_old) for node in nodes]
    known = [item["bytes_per_s"] for item in items if item["bytes_per_s"] is not None]
    items.sort(
        key=lambda item: (
            _ORDER[item["health"]], -(item["bytes_per_s"] or 0), -item["users"], item["name"]
        )
    )  # fmt: skip
    return {
        "counts": {health.value: sum(node.health == health for node in nodes) for health in Health},
        "total": len(nodes),
        "bytes_per_s": sum(known) if known else None,
        "users": sum(item["users"] for item in items),
        "checked_at": checked_at,
        "items": items[:MOST],
    }


def _line(node: NodeNow, *, is_old: bool) -> dict[str, Any]:
    health = Health(node.health)
    is_up = health == Health.ONLINE and not is_old
    return {
        "name": node.name,
        "country": node.country_code,
        "health": health,
        "label": health.label,
        "is_flapping": node.flapping_since is not None,
        "since": node.since,
        "users": node.users_online if is_up else 0,
        "users_usual": None if node.users_usual is None else round(node.users_usual, 1),
        "bytes_per_s": node.bytes_per_s if is_up else None,
        "link": reverse("admin:nodes_node_change", args=[node.uuid]),
    }
