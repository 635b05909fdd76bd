"""Retention: what is old goes, by partitions or in batches."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "reports.retention"
    label = "retention"
    verbose_name = "Retention"
