"""The settings of servers as the panel has them, without secrets, and what was changed in them.

Only what is named here is kept: whatever else an answer holds (keys of inbounds, addresses of proxies
with their passwords) never reaches a table.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction

from monitoring.dashboard.events import event_note
from monitoring.nodes.models import Node, NodeConfigChange
from monitoring.nodes.telling import node_link
from monitoring.nodes.words import FIELDS
from subscriptions.panel.types import PanelNode

_BATCH = 500
_INBOUND = ("tag", "type", "network", "security", "port")


def config_of(told: PanelNode) -> dict[str, Any]:
    """The settings of a server, in the order of FIELDS."""
    raw = told.raw
    return {
        "name": told.name,
        "address": told.address,
        "port": told.port,
        "country": told.country_code,
        "position": told.view_position,
        "provider": told.provider_name,
        "tags": sorted(told.tags),
        "profile": None if told.config_profile_uuid is None else str(told.config_profile_uuid),
        "inbounds": _inbounds(raw.get("configProfile")),
        "multiplier": told.consumption_multiplier,
        "node_multiplier": _number(raw.get("nodeConsumptionMultiplier")),
        "traffic_tracked": told.is_traffic_tracked,
        "traffic_limit_bytes": told.traffic_limit_bytes,
        "traffic_reset_day": told.traffic_reset_day,
        "notify_percent": told.notify_percent,
        "plugin": _text(raw.get("activePluginUuid")),
        "proxy": bool(raw.get("proxyUrl")),  # whether, not which: the address may hold a password
        "note": told.note,
    }


def config_hash(config: dict[str, Any]) -> str:
    """SHA-256 of the settings, whatever the order of their fields."""
    return hashlib.sha256(orjson.dumps(config, option=orjson.OPT_SORT_KEYS)).hexdigest()


def changes_between(was: dict[str, Any], now: dict[str, Any]) -> list[dict[str, Any]]:
    """Each field that differs: {"field", "was", "is"}, in the order of FIELDS."""
    return [
        {"field": name, "was": was.get(name), "is": now.get(name)}
        for name in FIELDS
        if was.get(name) != now.get(name)
    ]


@transaction.atomic
def configs_write(told: Sequence[PanelNode], at: datetime) -> dict[str, object]:
    """Take over the settings of an answer of the moment `at`; each change is a line of its server.

    Repeat: nothing changes. Three statements, whatever the number of servers, and a line of the feed for
    each that changed. Locks: the rows, in the order of their keys. Older than what is known: passed over.
    """
    by_id = {each.uuid: each for each in told}
    rows = Node.objects.select_for_update(no_key=True).filter(pk__in=by_id).order_by("pk")
    changed, lines = [], []
    for row in rows:
        config = config_of(by_id[row.pk])
        digest = config_hash(config)
        if row.configured_at is not None and row.configured_at > at:
            continue
        if digest != row.config_hash:
            if row.config_hash:
                changes = changes_between(row.config, config)
                lines.append(NodeConfigChange(node=row, at=at, changes=changes, config_hash=digest))
            row.config, row.config_hash = config, digest
        row.configured_at = at
        changed.append(row)
    Node.objects.bulk_update(changed, ["config", "config_hash", "configured_at"], batch_size=_BATCH)
    NodeConfigChange.objects.bulk_create(lines, batch_size=_BATCH)
    for line in lines:
        fields = ", ".join(FIELDS[each["field"]].lower() for each in line.changes)
        event_note("node_config", f"{line.node.name}: changed {fields}", node_link(line.node.pk))
    return {"read": len(told), "changed": [line.node.name for line in lines]}


def _inbounds(profile: object) -> list[dict[str, Any]]:
    found = profile.get("activeInbounds") if isinstance(profile, dict) else None
    inbounds = [
        {name: each.get(name) for name in _INBOUND if _is_plain(each.get(name))}
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, dict)
    ]
    return sorted(inbounds, key=lambda each: str(each.get("tag")))


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
