"""What the panel tells by itself about a server: a reason to look at once."""

from datetime import timedelta
from typing import Any

from django.dispatch import receiver

from monitoring.nodes.tasks import check_nodes, sync_node_configs
from subscriptions.mirror.hook import node_told

TOGETHER = timedelta(seconds=2)  # many events that come at once are one look
_SETTINGS = frozenset({"node.created", "node.modified"})


@receiver(node_told, dispatch_uid="nodes.look")
def on_node_told(*, event: str, **_: Any) -> None:
    """Enqueue a look in the transaction of the webhook. What it says is not believed, only followed."""
    check_nodes.enqueue(delay=TOGETHER)
    if event in _SETTINGS:
        sync_node_configs.enqueue(delay=TOGETHER)
