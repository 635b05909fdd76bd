"""Broadcasts: one message to many, with a ledger that tells the fate of each."""

from django.apps import AppConfig


class BroadcastsConfig(AppConfig):
    name = "notifications.broadcasts"
    label = "broadcasts"
    verbose_name = "Broadcasts"
