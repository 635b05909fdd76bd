"""The panel in a file, so that a restart of the sandbox finds its people again.

Only with SANDBOX_PANEL_FILE, and only up to KEEP_USERS: whoever seeds a million seeds them anew.
"""

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson

from tests.sandbox.remnawave.dialect import Dialect
from tests.sandbox.remnawave.nodes import Node, NodeState
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.user import PanelUser, Status, Strategy

KEEP_USERS = 100_000


class Keeper:
    """Writes the file at the end and from time to time. Without a path it does nothing."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        path = os.environ.get("SANDBOX_PANEL_FILE")
        self._path = Path(path) if path else None
        self._kept = panel.revision

    def load(self) -> None:
        """Put the people of the file into the empty panel.

        Raises ValueError or KeyError for a file of another kind.
        """
        if self._path is None or not self._path.exists():
            return
        content = orjson.loads(self._path.read_bytes())
        panel = self._panel
        panel.dialect = Dialect(content["version"])
        panel.users.extend(_user(row) for row in content["users"])
        panel.users.next_id = content["next_id"]
        panel.nodes.rows = [_node(row) for row in content["nodes"]]
        panel.usage.load(content["usage"])
        panel.devices = {int(user_id): found for user_id, found in content["devices"].items()}
        panel.metadata = {int(user_id): found for user_id, found in content["metadata"].items()}
        self._kept = panel.revision

    def save(self) -> None:
        """Write what changed since the last time, in one move."""
        panel = self._panel
        if self._path is None or self._kept == panel.revision or len(panel.users) > KEEP_USERS:
            return
        content: dict[str, Any] = {
            "version": panel.dialect.version,
            "next_id": panel.users.next_id,
            "users": panel.users.rows,
            "nodes": panel.nodes.rows,
            "usage": panel.usage.rows(),
            "devices": panel.devices,
            "metadata": panel.metadata,
        }
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS))
        fresh.replace(self._path)
        self._kept = panel.revision


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
