"""/api/bandwidth-stats: raw bytes by UTC day."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

from tests.sandbox.remnawave.ask import Ask, asked_user, asked_uuid, ok
from tests.sandbox.remnawave.errors import invalid, refused
from tests.sandbox.remnawave.nodes import Node
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import Reader
from tests.sandbox.remnawave.usage import days_between
from tests.sandbox.wire import Answer

COLORS = ("#4dabf7", "#f783ac", "#69db7c", "#ffd43b", "#9775fa", "#ff922b")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def nodes(panel: Panel, ask: Ask) -> Answer:
    """Per node and day, the busiest nodes first."""
    days = _asked_days(ask)
    limit = _asked_limit(ask, "topNodesLimit", 20)
    return ok(_chart(panel, days, limit, lambda node: panel.usage.of_node(days, node.uuid)))


def of_user(panel: Panel, ask: Ask) -> Answer:
    days = _asked_days(ask)
    limit = _asked_limit(ask, "topNodesLimit", 20)
    user_id = asked_user(panel, ask, "A063").id
    return ok(
        _chart(panel, days, limit, lambda node: panel.usage.of_user(days, node.uuid, user_id))
    )


def node_users(panel: Panel, ask: Ask) -> Answer:
    """The people of one node who used most."""
    days = _asked_days(ask)
    limit = _asked_limit(ask, "topUsersLimit", 100)
    node = panel.nodes.get(asked_uuid(ask))
    if node is None:
        raise refused("A011")
    total = panel.usage.by_user(days, node.uuid)
    return ok(
        {
            "categories": [day.isoformat() for day in days],
            "sparklineData": panel.usage.of_node(days, node.uuid),
            "topUsers": _top_users(panel, total, limit),
        }
    )


def nodes_users(panel: Panel, ask: Ask) -> Answer:
    """The same over several nodes."""
    days = _asked_days(ask)
    limit = _asked_limit(ask, "topUsersLimit", 100)
    reader = Reader(ask.body)
    reader.uuids("nodesUuids", required=True)
    uuids = reader.finish()["nodesUuids"]
    total: Counter[int] = Counter()
    for uuid in uuids:
        total.update(panel.usage.by_user(days, uuid))
    series = [panel.usage.of_node(days, uuid) for uuid in uuids]
    return ok(
        {
            "categories": [day.isoformat() for day in days],
            "sparklineData": [sum(column) for column in zip(*series, strict=True)],
            "topUsers": _top_users(panel, total, limit),
        }
    )


def nodes_usage(panel: Panel, ask: Ask) -> Answer:
    """Everybody's bytes by node, from minTotalBytes on. Reads, although it is a POST."""
    days = _asked_days(ask)
    least = _asked_limit(ask, "minTotalBytes", 0)
    reader = Reader(ask.body)
    reader.uuids("nodesUuids", required=True)
    found: list[dict[str, Any]] = []
    for uuid in reader.finish()["nodesUuids"]:
        used = panel.usage.by_user(days, uuid).most_common()
        users = [{"id": user_id, "totalBytes": size} for user_id, size in used if size >= least]
        found.append({"uuid": uuid, "users": users})
    return ok({"nodes": found})


def _chart(
    panel: Panel, days: list[date], limit: int, data: Callable[[Node], list[int]]
) -> dict[str, Any]:
    series = [_series(node, data(node)) for node in panel.nodes.rows]
    series = sorted((item for item in series if item["total"]), key=lambda item: -item["total"])
    for number, item in enumerate(series):
        item["color"] = COLORS[number % len(COLORS)]
    columns = [item["data"] for item in series]
    return {
        "categories": [day.isoformat() for day in days],
        "sparklineData": [sum(column) for column in zip(*columns, strict=True)]
        if columns
        else [0] * len(days),
        "topNodes": [
            {name: value for name, value in item.items() if name != "data"}
            for item in series[:limit]
        ],
        "series": series,
    }


def _series(node: Node, data: list[int]) -> dict[str, Any]:
    return {
        "uuid": node.uuid,
        "color": COLORS[0],
        "name": node.name,
        "countryCode": node.country,
        "total": sum(data),
        "data": data,
    }


def _top_users(panel: Panel, total: Counter[int], limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for user_id, size in total.most_common(limit):
        user = panel.users.get(user_id)
        if user is not None:
            color = COLORS[len(found) % len(COLORS)]
            found.append({"color": color, "username": user.username, "total": size})
    return found


def _asked_days(ask: Ask) -> list[date]:
    """start and end of the query, both included. Raises PanelError 400."""
    found: list[date] = []
    for name in ("start", "end"):
        text = ask.query.get(name, "")
        try:
            found.append(date.fromisoformat(text if _DAY.fullmatch(text) else ""))
        except ValueError:
            issue = {"code": "invalid_format", "format": "date", "path": [name]}
            raise invalid([issue | {"message": "Invalid ISO date"}]) from None
    return days_between(found[0], max(found))


def _asked_limit(ask: Ask, name: str, default: int) -> int:
    reader = Reader(ask.query, is_query=True)
    reader.integer(name, least=0)
    limit: int = reader.finish().get(name, default)
    return limit
