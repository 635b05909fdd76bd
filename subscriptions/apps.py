"""Subscriptions: who is served until when, and why."""

from importlib import import_module

from django.apps import AppConfig

# Rooms that make something known when the apps are ready: module with `register()`.
_ROOMS = ("bulk.progress", "lifecycle.ready", "mirror.hook", "people.segments")


class SubscriptionsConfig(AppConfig):
    name = "subscriptions"
    verbose_name = "Subscriptions"

    def ready(self) -> None:
        for room in _ROOMS:
            import_module(f"subscriptions.{room}").register()
        import_module("subscriptions.receivers.payments")
        import_module("subscriptions.access.attention")
