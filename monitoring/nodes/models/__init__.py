"""Tables of servers."""

from monitoring.nodes.models.config import NodeConfigChange
from monitoring.nodes.models.node import Health, Node, NodeState
from monitoring.nodes.models.traffic import NodeHour, NodeSample

__all__ = ["Health", "Node", "NodeConfigChange", "NodeHour", "NodeSample", "NodeState"]
