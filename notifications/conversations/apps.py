"""Conversations: dialogs, and a word to those who have not read for a while."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "notifications.conversations"
    label = "conversations"
    verbose_name = "Conversations"

    def ready(self) -> None:
        from notifications.conversations import events
        from notifications.webhooks.types import event_type_register

        event_type_register(events.PENDING, events.TITLE, events.EXAMPLE)
