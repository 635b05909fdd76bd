"""What the panel tells, as values. Connection secrets of a user are left out on purpose.

Source: @remnawave/backend-contract 3.4.15 (v3) and 2.7.2 (v2). Bytes are whole numbers, moments are
aware and in UTC, None means what the panel calls null.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict
from uuid import UUID


class PanelStatus(StrEnum):
    """Of a user. Only ACTIVE and DISABLED can be set; the panel derives the others by itself."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    LIMITED = "LIMITED"
    EXPIRED = "EXPIRED"


class TrafficStrategy(StrEnum):
    """When the panel itself sets used traffic to nothing."""

    NO_RESET = "NO_RESET"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    MONTH_ROLLING = "MONTH_ROLLING"


@dataclass(frozen=True, slots=True)
class PanelSquad:
    """A group of users, as it stands in a user."""

    uuid: UUID
    name: str


@dataclass(frozen=True, slots=True)
class PanelUser:
    """One user of the panel. `id` is the key in both dialects; `uuid` exists in v2 only."""

    id: int
    uuid: UUID | None
    short_uuid: str = field(repr=False)  # whoever knows it may fetch the keys
    username: str  # unique, never changes
    status: PanelStatus
    expire_at: datetime
    telegram_id: int | None  # not unique
    email: str | None
    description: str | None
    tag: str | None
    traffic_limit_bytes: int  # 0: no limit
    traffic_strategy: TrafficStrategy
    used_bytes: int  # in the current period
    lifetime_used_bytes: int
    hwid_device_limit: int | None  # None: as the panel says; 0: not checked
    squads: tuple[PanelSquad, ...]
    external_squad_uuid: UUID | None
    online_at: datetime | None
    first_connected_at: datetime | None
    last_node_uuid: UUID | None
    last_threshold_percent: int  # of the traffic, last told; 0: none
    sub_revoked_at: datetime | None
    last_traffic_reset_at: datetime | None
    created_at: datetime
    updated_at: datetime
    subscription_url: str = field(repr=False)


class UserFields(TypedDict, total=False):
    """What may be changed of a user. A key that is left out is left as it is; None empties it."""

    status: PanelStatus  # ACTIVE or DISABLED
    expire_at: datetime  # aware, in the future
    traffic_limit_bytes: int
    traffic_strategy: TrafficStrategy
    description: str | None
    tag: str | None  # [A-Z0-9_]{1,16}
    telegram_id: int | None
    email: str | None
    hwid_device_limit: int | None
    external_squad_uuid: UUID | None
    squads: Sequence[UUID]  # replaces the set; not in bulk


@dataclass(frozen=True, slots=True)
class UserPage:
    """Some users. next_cursor is None where the list ends; total is told by pages of v2.7 only."""

    users: tuple[PanelUser, ...]
    next_cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class BulkCheck:
    """What reading back showed of a bulk call: it is done, not (yet), or there is no such user."""

    done: frozenset[int]
    pending: frozenset[int]
    missing: frozenset[int]

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not self.pending


class NodeState(StrEnum):
    """The three flags of a node as one word."""

    DISABLED = "disabled"
    UP = "up"
    STARTING = "starting"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class NodeLoad:
    """What the machine of a node says of itself; None for the whole while it is not connected."""

    cpus: int
    memory_total_bytes: int
    memory_used_bytes: int
    uptime_s: float
    load_average: tuple[float, ...]
    rx_bytes_per_s: float | None
    tx_bytes_per_s: float | None


@dataclass(frozen=True, slots=True)
class PanelNode:
    """One server. `raw` is the object as it came, for what we show but do not interpret."""

    uuid: UUID
    name: str
    address: str
    port: int | None
    country_code: str  # 2 letters, XX: unknown
    is_connected: bool
    is_connecting: bool
    is_disabled: bool
    status_changed_at: datetime | None
    status_message: str | None  # may outlive the recovery
    users_online: int  # 0 when unknown
    xray_uptime_s: float
    xray_version: str | None
    node_version: str | None
    traffic_limit_bytes: int
    traffic_used_bytes: int
    is_traffic_tracked: bool
    traffic_reset_day: int | None
    notify_percent: int | None
    consumption_multiplier: float
    view_position: int
    tags: tuple[str, ...]
    provider_name: str | None
    config_profile_uuid: UUID | None
    inbound_tags: tuple[str, ...]
    load: NodeLoad | None
    note: str | None
    created_at: datetime
    updated_at: datetime
    raw: dict[str, object] = field(repr=False, compare=False)

    @property
    def state(self) -> NodeState:
        """Disabled beats connected beats connecting (contract, section 5)."""
        if self.is_disabled:
            return NodeState.DISABLED
        if self.is_connected:
            return NodeState.UP
        return NodeState.STARTING if self.is_connecting else NodeState.DOWN


@dataclass(frozen=True, slots=True)
class NodeTraffic:
    """Bytes of one node; `bytes_by_day` stands beside the days of the answer that it came in."""

    uuid: UUID
    name: str
    country_code: str
    total_bytes: int
    bytes_by_day: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Traffic of a span of UTC days, over all nodes and per node."""

    days: tuple[date, ...]
    total_bytes_by_day: tuple[int, ...]
    nodes: tuple[NodeTraffic, ...]


@dataclass(frozen=True, slots=True)
class UserTraffic:
    """Bytes of one user at a node."""

    username: str
    total_bytes: int


@dataclass(frozen=True, slots=True)
class NodeBandwidth:
    """Traffic of one node and the users who made most of it."""

    days: tuple[date, ...]
    total_bytes_by_day: tuple[int, ...]
    top_users: tuple[UserTraffic, ...]


@dataclass(frozen=True, slots=True)
class SystemStats:
    """The panel as a whole. onlineNow counts who was seen within 30 s."""

    users_total: int
    users_by_status: dict[PanelStatus, int]
    online_now: int
    online_day: int
    online_week: int
    never_online: int
    nodes_online_users: int
    lifetime_bytes: int
    cpu_cores: int
    memory_total_bytes: int
    memory_used_bytes: int
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Squad:
    """An internal squad: which inbounds its members may use."""

    uuid: UUID
    name: str
    members: int
    inbound_tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Device:
    """A device that a user connected with."""

    hwid: str
    platform: str | None
    os_version: str | None
    model: str | None
    user_agent: str | None
    created_at: datetime
    updated_at: datetime
