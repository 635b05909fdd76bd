"""Traffic of servers: a sample each five minutes, and the hours made of them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from monitoring.nodes.models.node import Node


class NodeSample(models.Model):
    """What a server said at one look. Partitioned by day (migrations/0002); kept for 48 hours.

    at: the beginning of the slot of five minutes, so that a slot has one sample; taken_at: the moment.
    day_bytes: the panel's counter of the UTC day at that moment; bytes: what came since the sample
    before, null when there was none or the counter went back. Rates are bytes per second.
    """

    id = models.BigAutoField(primary_key=True)  # in the table the key is (at, id)
    node = models.ForeignKey(
        Node, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    at = models.DateTimeField()
    taken_at = models.DateTimeField()
    day_bytes = models.BigIntegerField(null=True)
    bytes = models.BigIntegerField(null=True)
    seconds = models.FloatField(null=True)  # since the sample before
    rx_bytes_per_s = models.FloatField(null=True)
    tx_bytes_per_s = models.FloatField(null=True)
    users_online = models.IntegerField()
    load_1m = models.FloatField(null=True)
    memory_used_bytes = models.BigIntegerField(null=True)

    class Meta:
        managed = False  # partitioned: migrations/0002
        db_table = "node_sample"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.node_id} at {self.at:%Y-%m-%d %H:%M} UTC"


class NodeHour(models.Model):
    """M2: an hour of one server; kept for 30 days. sum in bytes; avg, max, min in bytes per second
    between two samples. Computed twice it is the same.

    The samples of an hour are those of its slots but the first, and the first of the next hour: each
    tells of the five minutes before it.
    """

    id = models.BigAutoField(primary_key=True)
    node = models.ForeignKey(Node, models.CASCADE, related_name="hours", db_index=False)
    hour = models.DateTimeField()  # its beginning
    bytes_sum = models.BigIntegerField()
    rate_avg = models.FloatField(null=True)
    rate_max = models.FloatField(null=True)
    rate_min = models.FloatField(null=True)
    users_avg = models.FloatField()
    users_max = models.IntegerField()
    samples = models.IntegerField()

    class Meta:
        db_table = "node_hour"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["node", "hour"], name="node_hour_once"),
            models.CheckConstraint(
                condition=Q(bytes_sum__gte=0, samples__gte=1)
                & (Q(rate_min=None) | Q(rate_min__lte=F("rate_max"))),
                name="node_hour_sound",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["hour"], name="node_hour_hour")]

    def __str__(self) -> str:
        return f"{self.node_id} {self.hour:%Y-%m-%d %H}:00 UTC"
