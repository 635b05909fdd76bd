"""Servers as they look over REST."""

from typing import Any

from rest_framework import serializers

from monitoring.nodes.models import Health

_ID = "7f0b2c6a-3d51-4b8e-9c1f-0a1b2c3d4e01"


class NodeShape(serializers.Serializer[Any]):
    """A server as the panel told of it last."""

    uuid = serializers.UUIDField(source="pk")
    name = serializers.CharField()
    address = serializers.CharField()
    country_code = serializers.CharField(help_text="Two letters; XX: not known.")
    provider = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    health = serializers.ChoiceField(choices=Health.choices, help_text="Damped: what counts.")
    health_since = serializers.DateTimeField()
    seen_health = serializers.ChoiceField(
        choices=Health.choices, help_text="What the last answer said."
    )
    flapping_since = serializers.DateTimeField(allow_null=True)
    status_message = serializers.CharField(help_text="The panel's words.")
    checked_at = serializers.DateTimeField(help_text="The last answer that listed it.")
    removed_at = serializers.DateTimeField(allow_null=True)
    users_online = serializers.IntegerField()
    rx_bytes_per_s = serializers.FloatField(allow_null=True)
    tx_bytes_per_s = serializers.FloatField(allow_null=True)
    load_1m = serializers.FloatField(allow_null=True)
    cpus = serializers.IntegerField(allow_null=True)
    memory_used_bytes = serializers.IntegerField(allow_null=True)
    memory_total_bytes = serializers.IntegerField(allow_null=True)
    traffic_used_bytes = serializers.IntegerField()
    traffic_limit_bytes = serializers.IntegerField(help_text="0: none.")
    xray_version = serializers.CharField()
    node_version = serializers.CharField()
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    city = serializers.CharField()


class NodesFound(serializers.Serializer[Any]):
    items = NodeShape(many=True)
    next_cursor = serializers.CharField(allow_null=True)


class IncidentShape(serializers.Serializer[Any]):
    """A time in which it did not serve."""

    health = serializers.ChoiceField(choices=Health.choices, help_text="The worst of it.")
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class NodeDetails(NodeShape):
    """A server with its history of 30 days."""

    users_usual = serializers.FloatField(
        allow_null=True, help_text="The median of this hour of the week; null: not known."
    )
    uptime_24h = serializers.FloatField(allow_null=True, help_text="0 to 1, maintenance left out.")
    uptime_7d = serializers.FloatField(allow_null=True)
    uptime_30d = serializers.FloatField(allow_null=True)
    config = serializers.DictField(help_text="Its settings in the panel, without secrets.")
    config_hash = serializers.CharField()
    incidents = IncidentShape(many=True)


class HourShape(serializers.Serializer[Any]):
    """Rates are bytes per second; of an hour the mean, and the highest and lowest five minutes."""

    at = serializers.DateTimeField(help_text="Its beginning.")
    bytes = serializers.IntegerField(allow_null=True)
    rate_avg = serializers.FloatField(allow_null=True)
    rate_max = serializers.FloatField(allow_null=True)
    rate_min = serializers.FloatField(allow_null=True)
    users = serializers.FloatField()


class NodeBandwidth(serializers.Serializer[Any]):
    step = serializers.ChoiceField(choices=["hour", "raw"])
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    items = HourShape(many=True)


NODE_EXAMPLE = {
    "uuid": _ID,
    "name": "NL-Amsterdam-1",
    "address": "nl1.example.net",
    "country_code": "NL",
    "provider": "Example Hosting",
    "tags": ["EU", "PREMIUM"],
    "health": "online",
    "health_since": "2026-11-20T08:14:02Z",
    "seen_health": "online",
    "flapping_since": None,
    "status_message": "",
    "checked_at": "2026-11-22T10:02:00Z",
    "removed_at": None,
    "users_online": 187,
    "rx_bytes_per_s": 15728640.0,
    "tx_bytes_per_s": 14155776.0,
    "load_1m": 0.42,
    "cpus": 4,
    "memory_used_bytes": 3290107904,
    "memory_total_bytes": 8323272704,
    "traffic_used_bytes": 5497558138880,
    "traffic_limit_bytes": 21990232555520,
    "xray_version": "26.10.1",
    "node_version": "3.4.0",
    "latitude": 52.37,
    "longitude": 4.9,
    "city": "",
}
DETAILS_EXAMPLE = NODE_EXAMPLE | {
    "users_usual": 192.5,
    "uptime_24h": 1.0,
    "uptime_7d": 0.9991,
    "uptime_30d": 0.9987,
    "config": {"name": "NL-Amsterdam-1", "tags": ["EU", "PREMIUM"], "proxy": False},
    "config_hash": "1b0c5f2e" * 8,
    "incidents": [
        {
            "health": "offline",
            "began_at": "2026-11-18T03:10:00Z",
            "ended_at": "2026-11-18T03:19:30Z",
            "reason": "connect ETIMEDOUT 198.51.100.20:2222",
        }
    ],
}
BANDWIDTH_EXAMPLE = {
    "step": "hour",
    "since": "2026-11-22T08:00:00Z",
    "until": "2026-11-22T10:00:00Z",
    "items": [
        {
            "at": "2026-11-22T08:00:00Z",
            "bytes": 48318382080,
            "rate_avg": 13421772.8,
            "rate_max": 19922944.0,
            "rate_min": 9437184.0,
            "users": 171.4,
        }
    ],
}
