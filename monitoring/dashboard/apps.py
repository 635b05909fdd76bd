"""Live dashboard: one picture of the business, pushed to whoever looks."""

from importlib import import_module

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "monitoring.dashboard"
    label = "dashboard"
    verbose_name = "Live dashboard"

    def ready(self) -> None:
        import_module("monitoring.dashboard.receivers")
