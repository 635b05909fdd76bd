"""A server of the VPN as the panel tells of it, and the states that it has been in."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Health(models.TextChoices):
    """M1: the panel's three flags as one word for people."""

    ONLINE = "online", "online"
    OFFLINE = "offline", "offline"
    WARNING = "warning", "connecting"  # neither up nor given up
    MAINTENANCE = "maintenance", "maintenance"  # disabled by a person


class Node(models.Model):
    """One server. Keyed by the panel's uuid; written by the checks only, but for what is ours below.

    health is damped: `seen_health` is what the last answer said, and becomes `health` once it has held
    long enough (monitoring/nodes/damping.py). lost_at: the last moments at which an answer no longer
    said online, the oldest first; too many of them, and the server flaps.
    removed_at: the panel no longer lists it; history stays.
    """

    uuid = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=300)
    country_code = models.CharField(max_length=2)  # XX: unknown
    provider = models.CharField(max_length=200, default="", db_default="")
    tags = ArrayField(models.CharField(max_length=100), default=list, db_default=[])
    view_position = models.IntegerField(default=0, db_default=0)
    health = models.CharField(max_length=11, choices=Health.choices)
    health_since = models.DateTimeField()
    seen_health = models.CharField(max_length=11, choices=Health.choices)
    seen_since = models.DateTimeField()
    lost_at = ArrayField(models.DateTimeField(), default=list, db_default=[])
    flapping_since = models.DateTimeField(null=True)
    status_message = models.TextField(default="", db_default="")  # the panel's words
    checked_at = models.DateTimeField()  # the last answer that listed it
    removed_at = models.DateTimeField(null=True)
    users_online = models.IntegerField(default=0, db_default=0)
    rx_bytes_per_s = models.FloatField(null=True)
    tx_bytes_per_s = models.FloatField(null=True)
    load_1m = models.FloatField(null=True)
    cpus = models.IntegerField(null=True)
    memory_used_bytes = models.BigIntegerField(null=True)
    memory_total_bytes = models.BigIntegerField(null=True)
    traffic_used_bytes = models.BigIntegerField(default=0, db_default=0)
    traffic_limit_bytes = models.BigIntegerField(default=0, db_default=0)  # 0: none
    xray_version = models.CharField(max_length=60, default="", db_default="")
    node_version = models.CharField(max_length=60, default="", db_default="")
    xray_uptime_s = models.FloatField(default=0, db_default=0)
    # M6: where it stands.
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    city = models.CharField(max_length=100, default="", db_default="")  # ours: a person's word
    is_placed_by_hand = models.BooleanField(default=False, db_default=False)
    located_at = models.DateTimeField(null=True)
    # M6: its settings as the panel has them, without secrets.
    config = models.JSONField(default=dict, db_default={})
    config_hash = models.CharField(max_length=64, default="", db_default="")
    configured_at = models.DateTimeField(null=True)
    # Ours.
    note = models.TextField(default="", db_default="", blank=True)
    monthly_cost = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    cost_currency = models.CharField(max_length=3, default="", db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "node"
        default_permissions = ("view", "change")
        permissions: ClassVar = [("operate_node", "Can check, enable, disable and restart servers")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(health__in=Health.values, seen_health__in=Health.values),
                name="node_health_known",
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="node_place_whole",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["view_position", "name"], name="node_position"),
        ]

    def __str__(self) -> str:
        return self.name


class NodeState(models.Model):
    """A span in one health. Spans of a node follow each other without a gap; the last is open.

    reason: the panel's words, or who did it.
    """

    id = models.BigAutoField(primary_key=True)
    node = models.ForeignKey(Node, models.CASCADE, related_name="states", db_index=False)
    health = models.CharField(max_length=11, choices=Health.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, default="", db_default="")

    class Meta:
        db_table = "node_state"
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["node"], condition=Q(ended_at=None), name="node_state_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")),
                name="node_state_forwards",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["node", "-began_at"], name="node_state_node"),
            models.Index(fields=["-began_at"], name="node_state_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.health} from {self.began_at:%Y-%m-%d %H:%M} UTC"
