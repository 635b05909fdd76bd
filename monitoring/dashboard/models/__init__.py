"""Tables of the live dashboard."""

from monitoring.dashboard.models.event import EventSeverity, PlatformEvent
from monitoring.dashboard.models.snapshot import Point, Snapshot

__all__ = ["EventSeverity", "PlatformEvent", "Point", "Snapshot"]
