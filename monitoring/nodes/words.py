"""How people call things of servers."""

from monitoring.nodes.models import Health

NODE = "server"  # what the audit log calls it

# State: what people read, what it means.
HEALTHS = {
    Health.ONLINE: ("online", "the panel is connected to it"),
    Health.OFFLINE: ("offline", "the panel cannot reach it"),
    Health.WARNING: ("connecting", "neither up nor given up"),
    Health.MAINTENANCE: ("maintenance", "switched off by a person"),
}
# Field of the settings: what people read.
FIELDS = {
    "name": "Name",
    "address": "Address",
    "port": "Port of the node",
    "country": "Country",
    "position": "Place in the list",
    "provider": "Provider",
    "tags": "Tags",
    "profile": "Config profile",
    "inbounds": "Inbounds",
    "multiplier": "Consumption multiplier",
    "node_multiplier": "Multiplier of the node",
    "traffic_tracked": "Counts its traffic",
    "traffic_limit_bytes": "Traffic limit",
    "traffic_reset_day": "Day of the reset",
    "notify_percent": "Warns at percent",
    "plugin": "Plugin",
    "proxy": "Through a proxy",
    "note": "Note in the panel",
}
