"""The rows of subscriptions: what is sold, who is served, what they were told, who was cut and why."""

from subscriptions.models.activation import (
    AccessCheck,
    AccessDoubt,
    AccessGap,
    AccessLatency,
    Activation,
    Renewal,
    SubscriberTurn,
)
from subscriptions.models.bulk import BulkItem, BulkKind, BulkOperation, BulkState, ItemState
from subscriptions.models.event import SubscriberEvent
from subscriptions.models.mirror import Drift, MirrorPass, SubscriberCount
from subscriptions.models.notice import Notice, NoticeState, Stage
from subscriptions.models.panel import PanelHint, PanelPlace, PanelState
from subscriptions.models.plan import Plan, Price
from subscriptions.models.subscriber import (
    CutBy,
    PanelStatus,
    Subscriber,
    TrafficStrategy,
)
from subscriptions.models.sweep import Sweep, SweepItem, SweepSettings, SweepState

__all__ = [
    "AccessCheck",
    "AccessDoubt",
    "AccessGap",
    "AccessLatency",
    "Activation",
    "BulkItem",
    "BulkKind",
    "BulkOperation",
    "BulkState",
    "CutBy",
    "Drift",
    "ItemState",
    "MirrorPass",
    "Notice",
    "NoticeState",
    "PanelHint",
    "PanelPlace",
    "PanelState",
    "PanelStatus",
    "Plan",
    "Price",
    "Renewal",
    "Stage",
    "Subscriber",
    "SubscriberCount",
    "SubscriberEvent",
    "SubscriberTurn",
    "Sweep",
    "SweepItem",
    "SweepSettings",
    "SweepState",
    "TrafficStrategy",
]
