"""Webhooks: what happened, told to the servers of others, signed and until they have it."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "notifications.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"
