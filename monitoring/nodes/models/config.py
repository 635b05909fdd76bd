"""What was changed in the settings of a server."""

from typing import ClassVar

from django.db import models

from monitoring.nodes.models.node import Node


class NodeConfigChange(models.Model):
    """One look that found the settings of a server other than before.

    changes: [{"field": "inbounds", "was": ..., "is": ...}], in the order of the fields; secrets are
    in none of them (monitoring/nodes/configs.py).
    """

    id = models.BigAutoField(primary_key=True)
    node = models.ForeignKey(Node, models.CASCADE, related_name="config_changes", db_index=False)
    at = models.DateTimeField()
    changes = models.JSONField()
    config_hash = models.CharField(max_length=64)  # of what it became

    class Meta:
        db_table = "node_config_change"
        default_permissions = ("view",)
        indexes: ClassVar = [models.Index(fields=["node", "-at"], name="node_config_change_node")]

    def __str__(self) -> str:
        return f"{self.node_id} at {self.at:%Y-%m-%d %H:%M} UTC"
