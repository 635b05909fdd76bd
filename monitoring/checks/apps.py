"""Checks: outside services, and rules with thresholds."""

from datetime import timedelta

from django.apps import AppConfig

SAMPLES_KEPT = timedelta(days=7)


class ChecksConfig(AppConfig):
    name = "monitoring.checks"
    label = "checks"
    verbose_name = "Checks"

    def ready(self) -> None:
        from lib.partitions import partitioned_table

        for table in ("service_sample", "rule_sample"):
            partitioned_table(table, "at", keep=SAMPLES_KEPT)
