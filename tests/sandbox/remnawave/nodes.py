"""The VPN servers that the panel watches: state, totals, and what it says when one is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.sandbox.remnawave.dialect import Dialect
from tests.sandbox.remnawave.squads import PROFILE, all_inbounds
from tests.sandbox.remnawave.times import iso

PROVIDER = "d4e5f6a7-b8c9-4d0e-9f2a-3b4c5d6e7f80"
TIB = 1 << 40
START_S = 5.0  # an enabled or restarted node is up again after this long
_MADE_AT = "2026-01-05T10:00:00.000Z"


class NodeState(StrEnum):
    """The panel has three flags for it; these four combinations occur."""

    UP = "up"
    STARTING = "starting"
    DOWN = "down"
    DISABLED = "disabled"


@dataclass(slots=True)
class Node:
    """One server. Moments are unix milliseconds; message is the last error in words."""

    uuid: str
    number: int
    name: str
    address: str
    country: str
    changed_ms: int
    updated_ms: int
    state: NodeState = NodeState.UP
    message: str | None = None
    users_online: int = 0
    used_bytes: int = 0
    limit_bytes: int = 0
    reset_day: int | None = None
    notify_percent: int | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    multiplier: float = 1
    restarts: int = 0
    rx_per_s: int = 15_728_640
    tx_per_s: int = 14_155_776
    load: tuple[float, float, float] = (0.42, 0.37, 0.31)
    memory_used: int = 3_290_107_904
    has_profile: bool = True

    def move(self, state: NodeState, now_ms: int, message: str | None = None) -> None:
        """Into another state; a node that is not up counts nobody."""
        if state is not self.state:
            self.changed_ms = now_ms
        self.state, self.message, self.updated_ms = state, message, now_ms
        if state is not NodeState.UP:
            self.users_online = 0


@dataclass(slots=True)
class NodeStore:
    """All nodes in their order on the panel's page."""

    rows: list[Node] = field(default_factory=list)

    def get(self, uuid: str) -> Node | None:
        return next((node for node in self.rows if node.uuid == uuid), None)

    def enabled(self) -> Iterator[Node]:
        return (node for node in self.rows if node.state is not NodeState.DISABLED)

    def up(self) -> list[Node]:
        return [node for node in self.rows if node.state is NodeState.UP]

    def first_up(self) -> Node | None:
        return next(iter(self.up()), None)

    def reset(self, now_ms: int) -> None:
        """Three nodes: one up, one starting, one disabled."""
        self.rows = [
            Node(
                "7f0b2c6a-3d51-4b8e-9c1f-0a1b2c3d4e01",
                1,
                "NL-Amsterdam-1",
                "nl1.example.net",
                "NL",
                now_ms,
                now_ms,
                users_online=187,
                used_bytes=5 * TIB,
                limit_bytes=20 * TIB,
                reset_day=1,
                notify_percent=80,
                tags=("EU", "PREMIUM"),
                note="10G uplink",
            ),
            Node(
                "8a1c3d7b-4e62-4c9f-8d20-1b2c3d4e5f02",
                2,
                "DE-Frankfurt-1",
                "de1.example.net",
                "DE",
                now_ms,
                now_ms,
                state=NodeState.STARTING,
                message="connect ETIMEDOUT 198.51.100.20:2222",
                used_bytes=TIB,
            ),
            Node(
                "9b2d4e8c-5f73-4da0-9e31-2c3d4e5f6a03",
                3,
                "FI-Helsinki-1",
                "198.51.100.30",
                "FI",
                now_ms,
                now_ms,
                state=NodeState.DISABLED,
                has_profile=False,
            ),
        ]

    def add(self, now_ms: int, country: str = "NL") -> Node:
        """One more node, up."""
        number = max((node.number for node in self.rows), default=0) + 1
        uuid = f"7f0b2c6a-3d51-4b8e-9c1f-{number:012x}"
        name = f"{country}-Node-{number}"
        address = f"{country.lower()}{number}.example.net"
        node = Node(uuid, number, name, address, country, now_ms, now_ms, users_online=10)
        self.rows.append(node)
        return node


def node_json(node: Node, dialect: Dialect) -> dict[str, Any]:
    """The node object; 2.7 lacks what 2.8 added, and v2 what v3 added."""
    is_up = node.state is NodeState.UP
    shown: dict[str, Any] = {"uuid": node.uuid}
    if dialect.is_v3:
        shown["id"] = node.number
    shown |= {"name": node.name, "address": node.address, "port": 2222}
    if dialect.has_stream:
        shown["proxyUrl"] = None
    shown |= {
        "isConnected": is_up,
        "isDisabled": node.state is NodeState.DISABLED,
        "isConnecting": node.state is NodeState.STARTING,
        "lastStatusChange": iso(node.changed_ms),
        "lastStatusMessage": node.message,
        "isTrafficTrackingActive": node.reset_day is not None,
        "trafficResetDay": node.reset_day,
        "trafficLimitBytes": node.limit_bytes,
        "trafficUsedBytes": node.used_bytes,
        "notifyPercent": node.notify_percent,
        "viewPosition": node.number,
        "countryCode": node.country,
        "consumptionMultiplier": node.multiplier,
    }
    if dialect.has_stream:
        shown["nodeConsumptionMultiplier"] = 1
    shown["tags"] = list(node.tags)
    if dialect.is_v3:
        address = f"198.51.100.{node.number % 250}"
        shown["integrationUuids"] = []
        shown["ips"] = [{"ip": address, "status": "INBOUND"}] if is_up else []
    shown |= {
        "createdAt": _MADE_AT,
        "updatedAt": iso(node.updated_ms),
        "configProfile": {
            "activeConfigProfileUuid": PROFILE if node.has_profile else None,
            "activeInbounds": all_inbounds() if node.has_profile else [],
        },
        "providerUuid": PROVIDER if node.has_profile else None,
        "provider": _provider() if node.has_profile else None,
        "activePluginUuid": None,
        "system": _system(node) if is_up else None,
        "versions": {"xray": "26.10.1", "node": "3.4.0"} if is_up else None,
        "xrayUptime": 204432 if is_up else 0,
        "usersOnline": node.users_online,
    }
    if dialect.has_stream:
        shown["note"] = node.note
    return shown


def _provider() -> dict[str, Any]:
    return {
        "uuid": PROVIDER,
        "name": "Example Hosting",
        "faviconLink": None,
        "loginUrl": "https://billing.example.com",
        "createdAt": "2026-01-05T09:00:00.000Z",
        "updatedAt": "2026-01-05T09:00:00.000Z",
    }


def _system(node: Node) -> dict[str, Any]:
    memory_total = 8_323_272_704
    return {
        "info": {
            "arch": "x64",
            "cpus": 4,
            "cpuModel": "AMD EPYC 9354P 32-Core Processor",
            "memoryTotal": memory_total,
            "hostname": node.address.partition(".")[0],
            "platform": "linux",
            "release": "6.8.0-60-generic",
            "type": "Linux",
            "version": "#63-Ubuntu SMP PREEMPT_DYNAMIC",
            "networkInterfaces": ["lo", "eth0"],
        },
        "stats": {
            "memoryFree": max(memory_total - node.memory_used, 0),
            "memoryUsed": node.memory_used,
            "uptime": 1822031.5,
            "loadAvg": list(node.load),
            "interface": {
                "interface": "eth0",
                "rxBytesPerSec": node.rx_per_s,
                "txBytesPerSec": node.tx_per_s,
                "rxTotal": node.used_bytes,
                "txTotal": node.used_bytes,
            },
        },
    }
