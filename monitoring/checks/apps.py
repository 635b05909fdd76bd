"""Checks: outside services, and rules with thresholds."""

from django.apps import AppConfig


class ChecksConfig(AppConfig):
    name = "monitoring.checks"
    label = "checks"
    verbose_name = "Checks"
