"""Alerts: what is wrong, who has it, and who was told."""

from importlib import import_module

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "monitoring.alerts"
    label = "alerts"
    verbose_name = "Alerts"

    def ready(self) -> None:
        import_module("monitoring.alerts.attention")
        import_module("monitoring.alerts.receivers")
        import_module("monitoring.alerts.hook").register()
