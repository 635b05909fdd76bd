"""Retention: what is old goes, by partitions or in batches."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RetentionConfig(AppConfig):
    name = "reports.retention"
    label = "retention"
    verbose_name = "Retention"

    def ready(self) -> None:
        post_migrate.connect(_prepare, sender=self, dispatch_uid="retention.prepare")


def _prepare(**kwargs: Any) -> None:
    """Make the days of partitioned tables, once all of them are there."""
    from reports.retention.days import days_prepare_all

    del kwargs
    days_prepare_all()
