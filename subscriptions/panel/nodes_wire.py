"""Nodes, traffic and the panel's own figures as they come over the wire. Source: contract, 5 and 7."""

from datetime import date
from typing import Any
from uuid import UUID

from subscriptions.panel.fields import (
    ContractDiffers,
    Fields,
    flag,
    moment,
    number,
    numbers,
    objects,
    text,
    texts,
    whole,
    wholes,
)
from subscriptions.panel.types import (
    Bandwidth,
    NodeBandwidth,
    NodeLoad,
    NodeTraffic,
    PanelNode,
    PanelStatus,
    SystemStats,
    UserTraffic,
)


def node_read(raw: Any) -> PanelNode:
    """One node, of any dialect. Raises ContractDiffers."""
    return _node(Fields(raw, "node"))


def nodes_read(raw: Any) -> tuple[PanelNode, ...]:
    """All nodes: a bare list."""
    return tuple(map(_node, objects(raw, "nodes")))


def _node(node: Fields) -> PanelNode:
    need, may = node.need, node.may
    profile = node.child("configProfile")
    provider = node.child_or_none("provider")
    versions = node.child_or_none("versions")
    system = node.child_or_none("system")
    return PanelNode(
        uuid=need("uuid", UUID),
        name=need("name", text),
        address=need("address", text),
        port=may("port", whole),
        country_code=need("countryCode", text),
        is_connected=need("isConnected", flag),
        is_connecting=need("isConnecting", flag),
        is_disabled=need("isDisabled", flag),
        status_changed_at=may("lastStatusChange", moment),
        status_message=may("lastStatusMessage", text),
        users_online=may("usersOnline", whole) or 0,
        xray_uptime_s=may("xrayUptime", number) or 0.0,
        xray_version=None if versions is None else versions.may("xray", text),
        node_version=None if versions is None else versions.may("node", text),
        traffic_limit_bytes=may("trafficLimitBytes", whole) or 0,
        traffic_used_bytes=may("trafficUsedBytes", whole) or 0,
        is_traffic_tracked=need("isTrafficTrackingActive", flag),
        traffic_reset_day=may("trafficResetDay", whole),
        notify_percent=may("notifyPercent", whole),
        consumption_multiplier=need("consumptionMultiplier", number),
        view_position=need("viewPosition", whole),
        tags=need("tags", texts),
        provider_name=None if provider is None else provider.need("name", text),
        config_profile_uuid=profile.may("activeConfigProfileUuid", UUID),
        inbound_tags=tuple(each.need("tag", text) for each in profile.children("activeInbounds")),
        load=None if system is None else _load(system),
        note=may("note", text) if "note" in node.raw else None,  # 2.8 and up
        created_at=need("createdAt", moment),
        updated_at=need("updatedAt", moment),
        raw=node.raw,
    )


def _load(system: Fields) -> NodeLoad:
    machine, stats = system.child("info"), system.child("stats")
    interface = stats.child_or_none("interface")
    return NodeLoad(
        cpus=machine.need("cpus", whole),
        memory_total_bytes=machine.need("memoryTotal", whole),
        memory_used_bytes=stats.need("memoryUsed", whole),
        uptime_s=stats.need("uptime", number),
        load_average=stats.need("loadAvg", numbers),
        rx_bytes_per_s=None if interface is None else interface.need("rxBytesPerSec", number),
        tx_bytes_per_s=None if interface is None else interface.need("txBytesPerSec", number),
    )


def bandwidth_read(raw: Any) -> Bandwidth:
    """/api/bandwidth-stats/nodes: raw bytes per UTC day."""
    stats = Fields(raw, "bandwidth")
    days = stats.need("categories", _days)
    return Bandwidth(
        days=days,
        total_bytes_by_day=_per_day(stats, "sparklineData", days),
        nodes=tuple(
            NodeTraffic(
                uuid=one.need("uuid", UUID),
                name=one.need("name", text),
                country_code=one.need("countryCode", text),
                total_bytes=one.need("total", whole),
                bytes_by_day=_per_day(one, "data", days),
            )
            for one in stats.children("series")
        ),
    )


def node_bandwidth_read(raw: Any) -> NodeBandwidth:
    """/api/bandwidth-stats/nodes/{uuid}/users."""
    stats = Fields(raw, "bandwidth")
    days = stats.need("categories", _days)
    return NodeBandwidth(
        days=days,
        total_bytes_by_day=_per_day(stats, "sparklineData", days),
        top_users=tuple(
            UserTraffic(one.need("username", text), one.need("total", whole))
            for one in stats.children("topUsers")
        ),
    )


def _days(value: Any) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, texts(value)))


def _per_day(stats: Fields, name: str, days: tuple[date, ...]) -> tuple[int, ...]:
    found = stats.need(name, wholes)
    if len(found) != len(days):
        raise ContractDiffers(f"{stats.where}.{name} has {len(found)} numbers, {len(days)} days")
    return found


def system_stats_read(raw: Any) -> SystemStats:
    """/api/system/stats."""
    stats = Fields(raw, "system")
    users, nodes = stats.child("users"), stats.child("nodes")
    counts, online = users.child("statusCounts"), stats.child("onlineStats")
    memory = stats.child("memory")
    return SystemStats(
        users_total=users.need("totalUsers", whole),
        # A status that nobody has may be left out.
        users_by_status={
            status: counts.need(status, whole) if status in counts.raw else 0
            for status in PanelStatus
        },
        online_now=online.need("onlineNow", whole),
        online_day=online.need("lastDay", whole),
        online_week=online.need("lastWeek", whole),
        never_online=online.need("neverOnline", whole),
        nodes_online_users=nodes.need("totalOnline", whole),
        lifetime_bytes=nodes.need("totalBytesLifetime", int),  # a decimal text
        cpu_cores=stats.child("cpu").need("cores", whole),
        memory_total_bytes=memory.need("total", whole),
        memory_used_bytes=memory.need("used", whole),
        uptime_s=stats.need("uptime", number),
    )


def version_text_read(raw: Any) -> str:
    """The version in /api/system/metadata."""
    return Fields(raw, "metadata").need("version", text)
