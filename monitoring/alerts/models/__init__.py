"""Tables of alerts."""

from monitoring.alerts.models.alert import Alert, AlertEvent, EventKind, Severity
from monitoring.alerts.models.silence import Silence
from monitoring.alerts.models.telling import Telling

__all__ = ["Alert", "AlertEvent", "EventKind", "Severity", "Silence", "Telling"]
