"""Webhooks: what happened, told to the servers of others, signed and until they have it."""

from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings

from lib.partitions import partitioned_table


class WebhooksConfig(AppConfig):
    name = "notifications.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"

    def ready(self) -> None:
        partitioned_table(
            "webhook_attempt", "at", keep=lambda: timedelta(days=settings.WEBHOOK_RETENTION_DAYS)
        )
