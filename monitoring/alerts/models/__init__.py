"""Tables of alerts."""

from monitoring.alerts.models.alert import Alert, AlertEvent, Severity

__all__ = ["Alert", "AlertEvent", "Severity"]
