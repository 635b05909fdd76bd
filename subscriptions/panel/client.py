"""The calls to a Remnawave panel that we use, of both dialects (docs/panel.md)."""

from datetime import date
from uuid import UUID

from subscriptions.panel.bulk import BulkCalls
from subscriptions.panel.line import Ask, nothing
from subscriptions.panel.nodes_wire import (
    bandwidth_read,
    node_bandwidth_read,
    node_read,
    nodes_read,
    system_stats_read,
)
from subscriptions.panel.types import Bandwidth, NodeBandwidth, PanelNode, SystemStats

_NODE = "nodes/{uuid}"


class PanelClient(BulkCalls):
    """One panel. Source: @remnawave/backend-contract 3.4.15 and 2.7.2 (November 2026).

    Methods raise the errors of subscriptions.panel.errors and repeat no write. Users are named by
    their number in both dialects. Safe to share among threads and over a fork; the token is in no
    error and no log.
    """

    def nodes(self) -> tuple[PanelNode, ...]:
        """All nodes."""
        return self._read(lambda _: Ask("GET", "nodes", "nodes"), nodes_read)

    def node(self, uuid: UUID) -> PanelNode:
        """One node. Raises PanelMissing."""
        return self._read(lambda _: Ask("GET", f"nodes/{uuid}", _NODE), node_read)

    def node_enable(self, uuid: UUID) -> PanelNode:
        """Let a node serve. Safe to repeat."""
        return self._write(
            lambda _: Ask("POST", f"nodes/{uuid}/actions/enable", "nodes enable"), node_read
        )

    def node_disable(self, uuid: UUID) -> PanelNode:
        """Take a node out of service. Safe to repeat."""
        return self._write(
            lambda _: Ask("POST", f"nodes/{uuid}/actions/disable", "nodes disable"), node_read
        )

    def node_restart(self, uuid: UUID, *, is_forced: bool = False) -> None:
        """Restart a node; queued by the panel. Refused (A149) if it is disabled."""
        ask = Ask(
            "POST",
            f"nodes/{uuid}/actions/restart",
            "nodes restart",
            json={"forceRestart": is_forced},
        )
        self._write(lambda _: ask, nothing)

    def node_reset_traffic(self, uuid: UUID) -> None:
        """Set the counted traffic of a node to nothing."""
        ask = Ask("POST", f"nodes/{uuid}/actions/reset-traffic", "nodes reset-traffic")
        self._write(lambda _: ask, nothing)

    def nodes_restart_all(self, *, is_forced: bool = False) -> None:
        """Restart every node that is enabled. Refused (A054) if none is."""
        ask = Ask(
            "POST",
            "nodes/actions/restart-all",
            "nodes restart-all",
            json={"forceRestart": is_forced},
        )
        self._write(lambda _: ask, nothing)

    def bandwidth(self, start: date, end: date, *, top: int = 100) -> Bandwidth:
        """Bytes per node and UTC day, both days included."""
        params = {"start": start.isoformat(), "end": end.isoformat(), "topNodesLimit": top}
        label = "bandwidth-stats/nodes"
        return self._read(lambda _: Ask("GET", label, label, params), bandwidth_read)

    def node_bandwidth(
        self, uuid: UUID, start: date, end: date, *, top: int = 100
    ) -> NodeBandwidth:
        """Bytes of one node per UTC day, and its heaviest users."""
        params = {"start": start.isoformat(), "end": end.isoformat(), "topUsersLimit": top}
        path, label = f"bandwidth-stats/nodes/{uuid}/users", "bandwidth-stats/nodes/{uuid}/users"
        return self._read(lambda _: Ask("GET", path, label, params), node_bandwidth_read)

    def system_stats(self) -> SystemStats:
        """Users by status, who is online, and the machine of the panel."""
        return self._read(lambda _: Ask("GET", "system/stats", "system/stats"), system_stats_read)
