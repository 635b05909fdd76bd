"""The pages of servers."""

from monitoring.nodes import attention
from monitoring.nodes.admin import nodes

__all__ = ["attention", "nodes"]
