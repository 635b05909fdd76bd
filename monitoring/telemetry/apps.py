"""Telemetry: the figures of workers and stages over HTTP."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "monitoring.telemetry"
    label = "telemetry"
    verbose_name = "Telemetry"
