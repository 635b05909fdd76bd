"""Telegram: the queue of messages and the one client that sends them."""

from django.apps import AppConfig


class TelegramConfig(AppConfig):
    name = "notifications.telegram"
    label = "telegram"
    verbose_name = "Telegram"
