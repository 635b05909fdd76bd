"""/api/nodes: read them, switch them, restart them."""

from collections.abc import Callable
from typing import Any

from tests.sandbox.remnawave.ask import Ask, asked_uuid, empty, ok
from tests.sandbox.remnawave.errors import refused
from tests.sandbox.remnawave.nodes import START_S, Node, NodeState, node_json
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import Reader
from tests.sandbox.wire import Answer

BULK_ACTIONS = ["ENABLE", "DISABLE", "RESTART", "RESET_TRAFFIC"]


def listed(panel: Panel, ask: Ask) -> Answer:
    """A bare array, without a total."""
    return ok([node_json(node, panel.dialect) for node in panel.nodes.rows])


def one(panel: Panel, ask: Ask) -> Answer:
    return ok(node_json(_asked(panel, ask), panel.dialect))


def tags(panel: Panel, ask: Ask) -> Answer:
    return ok({"tags": sorted({tag for node in panel.nodes.rows for tag in node.tags})})


def enable(panel: Panel, ask: Ask) -> Answer:
    """The answer shows it starting; it is up some seconds later."""
    node = _asked(panel, ask)
    _enable(panel, node)
    return ok(node_json(node, panel.dialect))


def disable(panel: Panel, ask: Ask) -> Answer:
    node = _asked(panel, ask)
    _disable(panel, node)
    return ok(node_json(node, panel.dialect))


def restart(panel: Panel, ask: Ask) -> Answer:
    """Since 2.8 the body is a must. Raises PanelError A149 for a disabled node."""
    _read_restart(panel, ask)
    node = _asked(panel, ask)
    if node.state is NodeState.DISABLED:
        raise refused("A149")
    _restart(panel, node)
    return _sent(panel)


def restart_all(panel: Panel, ask: Ask) -> Answer:
    _read_restart(panel, ask)
    nodes = list(panel.nodes.enabled())
    if not nodes:
        raise refused("A054")
    for node in nodes:
        _restart(panel, node)
    return _sent(panel)


def reset_traffic(panel: Panel, ask: Ask) -> Answer:
    _reset_traffic(panel, _asked(panel, ask))
    return empty(204) if panel.dialect.is_v3 else ok({"eventSent": True})


def bulk_actions(panel: Panel, ask: Ask) -> Answer:
    """Unknown nodes are ignored, and so is a restart of a disabled one."""
    reader = Reader(ask.body)
    reader.uuids("uuids", required=True)
    reader.choice("action", BULK_ACTIONS, required=True)
    order = reader.finish()
    for uuid in order["uuids"]:
        node = panel.nodes.get(uuid)
        if node is not None:
            _BULK[order["action"]](panel, node)
    return empty(204) if panel.dialect.is_v3 else ok({"eventSent": True})


def update(panel: Panel, ask: Ask) -> Answer:
    reader = Reader(ask.body)
    reader.text("uuid", required=True)
    reader.text("name", least=3, most=30)
    reader.text("note", nullable=True)
    order = reader.finish()
    node = panel.nodes.get(order.pop("uuid").lower())
    if node is None:
        raise refused("A011")
    tags_given = ask.body.get("tags")
    if isinstance(tags_given, list):
        node.tags = tuple(str(tag) for tag in tags_given)
    for name, value in order.items():
        setattr(node, name, value)
    node.updated_ms = panel.now_ms()
    panel.announce_node("node.modified", node)
    return ok(node_json(node, panel.dialect))


def delete(panel: Panel, ask: Ask) -> Answer:
    node = _asked(panel, ask)
    panel.nodes.rows.remove(node)
    panel.announce_node("node.deleted", node)
    return empty(204) if panel.dialect.is_v3 else ok({"isDeleted": True})


def _asked(panel: Panel, ask: Ask) -> Node:
    node = panel.nodes.get(asked_uuid(ask))
    if node is None:
        raise refused("A011")
    return node


def _read_restart(panel: Panel, ask: Ask) -> None:
    is_optional = not panel.dialect.has_stream
    reader = Reader({} if ask.body is None and is_optional else ask.body)
    reader.boolean("forceRestart", required=not is_optional)
    reader.finish()


def _enable(panel: Panel, node: Node) -> None:
    if node.state is NodeState.DISABLED:
        node.move(NodeState.STARTING, panel.now_ms())
        panel.announce_node("node.enabled", node)
        _come_up(panel, node)


def _disable(panel: Panel, node: Node) -> None:
    node.move(NodeState.DISABLED, panel.now_ms())
    panel.announce_node("node.disabled", node)


def _restart(panel: Panel, node: Node) -> None:
    if node.state is NodeState.DISABLED:
        return
    node.restarts += 1
    node.move(NodeState.STARTING, panel.now_ms())
    panel.revision += 1
    _come_up(panel, node)


def _reset_traffic(panel: Panel, node: Node) -> None:
    node.used_bytes = 0
    node.updated_ms = panel.now_ms()
    panel.revision += 1


def _come_up(panel: Panel, node: Node) -> None:
    async def later() -> None:
        await panel.clock.sleep(START_S)
        if node.state is NodeState.STARTING:
            node.move(NodeState.UP, panel.now_ms())
            panel.announce_node("node.connection_restored", node)

    panel.background.start(later())


def _sent(panel: Panel) -> Answer:
    return empty(202) if panel.dialect.is_v3 else ok({"eventSent": True})


_BULK: dict[str, Callable[[Panel, Node], None]] = {
    "ENABLE": _enable,
    "DISABLE": _disable,
    "RESTART": _restart,
    "RESET_TRAFFIC": _reset_traffic,
}


def set_node(panel: Panel, node: Node, fields: dict[str, Any]) -> None:
    """What happens to a node by itself: a state is announced as the panel does."""
    was = node.state
    state = fields.pop("state", None)
    if state is not None:
        node.move(NodeState(state), panel.now_ms(), fields.pop("message", None))
    for name, value in fields.items():
        setattr(node, name, value)
    if was is NodeState.UP and node.state in (NodeState.DOWN, NodeState.STARTING):
        panel.announce_node("node.connection_lost", node)
    elif was in (NodeState.DOWN, NodeState.STARTING) and node.state is NodeState.UP:
        panel.announce_node("node.connection_restored", node)
    panel.revision += 1
