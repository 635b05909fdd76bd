"""The panel for a file: people, nodes, traffic, devices, and how it shall behave."""

from dataclasses import asdict, fields
from typing import Any

from tests.sandbox.remnawave.dialect import Dialect
from tests.sandbox.remnawave.nodes import Node, NodeState
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.settings import PanelSettings, changed
from tests.sandbox.remnawave.user import PanelUser, Status, Strategy

KEEP_USERS = 100_000  # whoever seeds a million seeds them anew


def kept(panel: Panel) -> dict[str, Any] | None:
    """None for a panel of more than KEEP_USERS."""
    if len(panel.users) > KEEP_USERS:
        return None
    return {
        "version": panel.dialect.version,
        "settings": asdict(panel.settings),
        "next_id": panel.users.next_id,
        "users": panel.users.rows,
        "nodes": panel.nodes.rows,
        "usage": panel.usage.rows(),
        "devices": panel.devices,
        "metadata": panel.metadata,
    }


def restore(panel: Panel, content: dict[str, Any], *, id_gap: int) -> None:
    """Into an empty panel. Raises ValueError, KeyError or TypeError for what is no panel."""
    panel.dialect = Dialect(content["version"])
    panel.settings = changed(PanelSettings(), content["settings"])
    panel.users.extend(_user(row) for row in content["users"])
    panel.users.next_id = content["next_id"] + id_gap
    panel.nodes.rows = [_node(row) for row in content["nodes"]]
    panel.usage.load(content["usage"])
    panel.devices = {int(user_id): found for user_id, found in content["devices"].items()}
    panel.metadata = {int(user_id): found for user_id, found in content["metadata"].items()}


def _user(row: dict[str, Any]) -> PanelUser:
    known = {field.name: row[field.name] for field in fields(PanelUser) if field.name in row}
    known |= {
        "status": Status(row["status"]),
        "strategy": Strategy(row["strategy"]),
        "squads": tuple(row["squads"]),
    }
    return PanelUser(**known)


def _node(row: dict[str, Any]) -> Node:
    known = {field.name: row[field.name] for field in fields(Node) if field.name in row}
    known |= {
        "state": NodeState(row["state"]),
        "tags": tuple(row["tags"]),
        "load": tuple(row["load"]),
    }
    return Node(**known)
