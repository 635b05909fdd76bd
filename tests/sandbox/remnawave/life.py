"""People who use the VPN: traffic, and when they were last seen."""

from random import Random

from tests.sandbox.remnawave.nodes import Node
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.user import PanelUser, Status


def use(panel: Panel, user: PanelUser, node: Node, size: int) -> None:
    """One person uses so many bytes on a node now. updatedAt stays as it was."""
    now_ms = panel.now_ms()
    user.used_bytes += size
    user.lifetime_bytes += size
    user.online_ms = now_ms
    user.last_node = node.uuid
    node.used_bytes += size
    panel.usage.add(now_ms, node.uuid, size, user.id)
    if user.first_connected_ms is None:
        user.first_connected_ms = now_ms
        panel.announce("user.first_connected", user)


class Life:
    """A part of the ACTIVE users is online at every beat, spread over the nodes that are up."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._draw = Random(0)

    def beat(self) -> None:
        """As settings.live_share and live_bytes say; a share of 0 is no life at all."""
        panel, draw = self._panel, self._draw
        nodes = panel.nodes.up()
        share = panel.settings.live_share
        rows = panel.users.rows
        if not share or not nodes or not rows:
            return
        online = dict.fromkeys((node.uuid for node in nodes), 0)
        for _ in range(round(len(rows) * share)):
            user = rows[draw.randrange(len(rows))]
            if user.status is not Status.ACTIVE or not user.squads:
                continue
            node = nodes[user.id % len(nodes)]
            use(panel, user, node, round(draw.expovariate(1) * panel.settings.live_bytes))
            online[node.uuid] += 1
        for node in nodes:
            node.users_online = online[node.uuid]
        panel.revision += 1
