"""Live dashboard: one picture of the business, pushed to whoever looks."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "monitoring.dashboard"
    label = "dashboard"
    verbose_name = "Live dashboard"
