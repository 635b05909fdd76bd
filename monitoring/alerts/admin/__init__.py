"""Alerts and silences in the console."""

from monitoring.alerts.admin.alerts import AlertAdmin
from monitoring.alerts.admin.silences import SilenceAdmin

__all__ = ["AlertAdmin", "SilenceAdmin"]
