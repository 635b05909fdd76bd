"""Telegram: the queue of messages and the one client that sends them."""

from importlib import import_module

from django.apps import AppConfig


class TelegramConfig(AppConfig):
    name = "notifications.telegram"
    label = "telegram"
    verbose_name = "Telegram"

    def ready(self) -> None:
        import_module("notifications.telegram.receivers")
